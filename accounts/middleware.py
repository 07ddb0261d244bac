"""Sends the renewed token of a session along with whatever the response is."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import sessions

_Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class SessionCookieMiddleware:
    """
    Sets the cookie that `sessions.of_request()` left on the request.

    The API, the page and the stream authenticate each in its own way; here all of them renew.
    Touches neither the database nor the body, so a stream passes untouched.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], _Answer]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> _Answer:
        if self.is_async:
            return self._call_async(request)
        # The casts: which of the two it answers with is what is_async says.
        return _with_cookie(request, cast(HttpResponseBase, self.get_response(request)))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        return _with_cookie(request, response)


def _with_cookie(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    token = request.META.get(sessions.RENEWED)
    # Sign-in and logout set the cookie themselves.
    if token and sessions.COOKIE not in response.cookies:
        sessions.set_cookie(response, token)
    return response
