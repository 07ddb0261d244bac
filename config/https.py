"""
Behind an https `PUBLIC_ORIGIN` nothing that came by http is answered, but this machine's probes and
those who may read the metrics.

How a request came is what the server's own scope says. The header by which a proxy tells it is for
the server to believe, which knows from whom it came: loopback, a container's gateway, and
`TRUSTED_PROXIES` (`manage.py serve`).
"""

from collections.abc import Awaitable, Callable, Sequence

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponsePermanentRedirect

from accounts.addresses import is_direct_loopback
from accounts.errors import HttpsNeeded
from accounts.refusals import of_api_error
from accounts.responses import refusal_response
from config.scraper_access import has_token

_Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class HttpsMiddleware:
    """Answers what came by http; all else passes. Not used where `PUBLIC_ORIGIN` is not https."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], _Answer]) -> None:
        origin = settings.PUBLIC_ORIGIN
        if origin is None or not settings.COOKIES_SECURE:
            raise MiddlewareNotUsed
        self._origin = origin
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> _Answer:
        answer = None
        if not has_token(request):
            answer = answer_to_http(request, origin=self._origin, probes=settings.HTTP_PROBES)
        if answer is None:
            return self.get_response(request)
        return _later(answer) if self._is_async else answer


async def _later(answer: HttpResponse) -> HttpResponse:
    return answer


def answer_to_http(
    request: HttpRequest, *, origin: str, probes: Sequence[str]
) -> HttpResponse | None:
    """
    The answer to a request that came by http; None to one that may be answered as usual.

    Args:
        origin: where people are to come instead.
        probes: the paths that this machine itself may ask by http.
    """
    if request.is_secure() or (request.path in probes and is_direct_loopback(request)):
        return None
    if request.method in ("GET", "HEAD"):
        # Never to the name in the Host header, which is the sender's word. The slash ends our own
        # name even where the request's target does not begin with one.
        path = request.get_full_path().lstrip("/")
        return HttpResponsePermanentRedirect(f"{origin}/{path}")
    # Not redirected: what it carried has been read on its way already, and is to be noticed.
    return refusal_response(request.path, of_api_error(HttpsNeeded()))
