"""What is answered while the database is away: 503, and when to ask again."""

import logging
import sys
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.views import defaults

from accounts.errors import DatabaseAway
from accounts.responses import error_response

logger = logging.getLogger(__name__)


class DatabaseAwayMiddleware:
    """Answers where a view fails because of the database; else lets everything pass."""

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer to trouble with the database; None: the error is another's."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.warning("database away", extra={"path": request.path, "error": type(error).__name__})
        return _answer(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's answer to what nobody caught, such as trouble with the database in a middleware."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _answer(request)
    return defaults.server_error(request)


def _answer(request: HttpRequest) -> HttpResponse:
    error = DatabaseAway()
    if request.path.startswith(("/api/", "/sse/")):
        return error_response(error)
    # Without the request, as its context processors may ask the database who is signed in.
    page = loader.render_to_string("503.html")
    return HttpResponse(
        page, status=error.status, headers={**error.headers, "Cache-Control": "no-store"}
    )
