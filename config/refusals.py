"""Where Django's own errors, and those of views, become the answers of `accounts.refusals`."""

import sys
from collections.abc import Awaitable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, RawPostDataException, UnreadablePostError
from django.http.response import HttpResponseBase

from accounts import refusals
from accounts.errors import ApiError
from accounts.on_the_way_out import OnTheWayOut
from accounts.responses import RefusalResponse, answer_to, refusal_of, refusal_response
from postgres.errors import DATABASE_TROUBLE

# What a response says beside its body, and still has to.
_KEPT_HEADERS = ("Allow", "Retry-After", "Content-Range", "Vary")

_UNKNOWN_TO_DJANGO = (
    ApiError,
    *DATABASE_TROUBLE,
    RawPostDataException,
    UnreadablePostError,
)


class RefusalsMiddleware(OnTheWayOut):
    """Gives errors one shape: those that views raise, and those that others have answered."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.method == "HEAD" and request.path.startswith("/api/"):
            # django-ninja knows no HEAD; the server sends no body, whatever the response has.
            request.method = "GET"
        return super().__call__(request)

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, or the one shape of what it tells."""
        return _in_shape(request, response)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer to what Django would take for a bug; None: the error is Django's to tell."""
        return answer_to(request, error) if isinstance(error, _UNKNOWN_TO_DJANGO) else None


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler of errors; without an exception, of the one that is being handled."""
    error = exception or sys.exc_info()[1]
    if isinstance(error, (ApiError, *DATABASE_TROUBLE)):
        return answer_to(request, error)
    return refusal_response(request.path, refusal_of(error))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a request without its CSRF token; the reason is for the log alone."""
    return refusal_response(request.path, refusals.CSRF_FAILED)


def _in_shape(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or _has_shape(request, response):
        return response
    answer = refusal_response(request.path, refusals.of_status(response.status_code))
    for name in _KEPT_HEADERS:
        if name in response.headers:
            answer.headers[name] = response.headers[name]
    answer.cookies = response.cookies
    # Whatever was logged of the one is not to be logged a second time, and nothing else is lost.
    answer._has_been_logged = getattr(response, "_has_been_logged", False)  # type: ignore[attr-defined]
    response.close()
    return answer


def _has_shape(request: HttpRequest, response: HttpResponseBase) -> bool:
    if isinstance(response, RefusalResponse):
        return True
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return True
    # Django's technical pages are what DEBUG is for.
    is_page = isinstance(response, HttpResponse) and bool(response.content)
    return settings.DEBUG and is_page and not refusals.is_for_programs(request.path)
