"""What a session means to the rest of Django, on the way in and on the way out."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts import sessions
from accounts.inline import Inline
from accounts.models import Session, User
from accounts.on_the_way_out import OnTheWayOut


class SessionCookieMiddleware(OnTheWayOut):
    """
    Sets the cookie that `sessions.of_request()` left on the request.

    The API, the page and the stream authenticate each in its own way; here all of them renew.
    Touches neither the database nor the body, so a stream passes untouched.
    """

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The same, with the renewed cookie."""
        token = request.META.get(sessions.RENEWED)
        # Sign-in and logout set the cookie themselves.
        if token and sessions.COOKIE not in response.cookies:
            sessions.set_cookie(response, token)
        return response


class PersonMiddleware(Inline, AuthenticationMiddleware):
    """
    `request.user` for the admin: whoever has a session of the person, else nobody.

    In the place of Django's own, which knows sessions of its own only. Looks when it is asked.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Django's name for it."""
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]


def _person(request: HttpRequest) -> User | AnonymousUser:
    session = sessions.of_request(request)
    if session is None or session.of != Session.Of.PERSON:
        return AnonymousUser()
    return session.user
