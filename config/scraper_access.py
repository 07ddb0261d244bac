"""
Whoever has METRICS_TOKEN may ask for the metrics under any name, and by http.

A collector asks each process by its address, past the proxy that has our name and a certificate.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from streaming import scrapers
from streaming.web.asgi import METRICS_PATH

_Answer = HttpResponseBase | Awaitable[HttpResponseBase]


def has_token(request: HttpRequest) -> bool:
    """Whether this asks for the metrics, with the token."""
    if request.path != METRICS_PATH or settings.METRICS_TOKEN is None:
        return False
    verdict = scrapers.verdict(
        token=settings.METRICS_TOKEN,
        authorization=request.headers.get("Authorization"),
        is_direct_loopback=False,
    )
    return verdict == "allowed"


class ScraperAccessMiddleware:
    """Lets them call us by a name that is none of ours. All else is as it was."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], _Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> _Answer:
        if has_token(request):
            # Django would refuse the request for its Host, in which nothing is to be believed here.
            request.META["HTTP_HOST"] = "localhost"
        return self.get_response(request)
