"""
Sign in with a name and a password: slow for whoever guesses, and for nobody else.

Tries count for the network they come from, and for the name unless it has signed in from that
network before: else a stranger could lock an owner out. A name that nobody has is treated as any
other, in its answers and in the work that is done for it.
"""

import logging

from django.contrib import auth
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts import known_networks, names, sign_in_load
from accounts.addresses import network_of
from accounts.attempts import Attempt
from accounts.errors import WrongPassword
from accounts.models import User
from accounts.throttle import Key

logger = logging.getLogger(__name__)


@sensitive_variables()
def check(request: HttpRequest, *, username: str, password: str) -> User:
    """
    The user whose name and password these are; signing them in is left to the caller.

    Takes a third of a second on purpose, and may wait for some more: for threads only.

    Args:
        username, password: as they were typed, whatever that was.
    Raises:
        WrongPassword: there is no such pair; TooManyTries, Busy: nothing was looked at.
    """
    network = network_of(request)
    name = names.digest(username)
    slowed = () if known_networks.is_known(name, network) else (Key("name", name),)
    with Attempt("password", network, *slowed):
        with sign_in_load.PASSWORDS.turn():
            user = auth.authenticate(
                request, username=names.storable(username), password=names.storable(password)
            )
        if not isinstance(user, User):
            raise WrongPassword
    known_networks.remember(name, network)
    logger.info("signed in", extra={"user_id": user.pk, "by": "password"})
    return user
