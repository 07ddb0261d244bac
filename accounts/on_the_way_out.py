"""Middleware that changes responses on their way out, in sync and async handlers alike."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class OnTheWayOut:
    """Its children say what becomes of a response; a stream's own content passes untouched."""

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            return self.changed(request, response)
        return self._changed_later(request, response)

    async def _changed_later(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        return self.changed(request, await response)

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response that is sent: this one, or another in its place."""
        raise NotImplementedError
