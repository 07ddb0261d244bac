"""Sends the renewed token of a session along with whatever the response is."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import sessions
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
