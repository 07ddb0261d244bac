"""A person's ways in beside the keys: a name with a password, and passkeys."""

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts import names, sign_in_load
from accounts.errors import UnfitPassword, UnfitUsername, UsernameTaken
from accounts.models import User


def exist(user: User) -> bool:
    """Whether the person can sign in without a key."""
    return has_password(user) or user.passkeys.exists()


def has_password(user: User) -> bool:
    """Whether a name and a password open the door."""
    return user.username is not None and user.has_usable_password()


@sensitive_variables()
def fit(user: User, *, username: str, new_password: str) -> User:
    """
    The user with this name and password, not yet saved.

    Takes a third of a second on purpose, and may wait for some more: for threads only.

    Raises:
        UnfitUsername, UnfitPassword: with each reason; where both are unfit the first, with all.
        UsernameTaken: somebody else has the name. Busy: nothing was looked at.
    """
    changed = User(pk=user.pk, username=User.normalize_username(names.storable(username)))
    password = names.storable(new_password)
    of_name, of_password = _faults_of_name(changed), _faults_of_password(password, changed)
    if of_name:
        raise UnfitUsername(" ".join([*of_name, *of_password]))
    if of_password:
        raise UnfitPassword(" ".join(of_password))
    # Before the hash, which costs a hundred times as much.
    folded = names.folded(changed.username or "")
    if User.objects.exclude(pk=user.pk).filter(folded_username=folded).exists():
        raise UsernameTaken
    with sign_in_load.PASSWORDS.turn():
        changed.set_password(password)
    return changed


def _faults_of_name(changed: User) -> list[str]:
    try:
        # Only the field itself: whether the name is taken is asked elsewhere.
        changed.clean_fields(exclude={field.name for field in User._meta.fields} - {"username"})
    except ValidationError as error:
        return error.messages
    return [] if changed.username else ["The name is empty."]


@sensitive_variables()
def _faults_of_password(password: str, changed: User) -> list[str]:
    try:
        password_validation.validate_password(password, changed)
    except ValidationError as error:
        return error.messages
    return []


def save(fitted: User) -> None:
    """
    Let the name and the password count from now on.

    Raises:
        UsernameTaken: by somebody, just now.
    """
    try:
        with transaction.atomic():
            fitted.save(update_fields=["username", "password"])
    except IntegrityError:
        raise UsernameTaken from None
