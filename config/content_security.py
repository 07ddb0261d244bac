"""What browsers may load and keep: everything from our own origin, nothing inline or cached."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# The dashboard and the sign-in make no markup from text at all; the admin's scripts do.
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"
# django-ninja's documentation page is swagger-ui, which sets styles inline.
DOCUMENTATION_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def policy(path: str) -> str:
    """The policy for the page at this path."""
    if path.startswith("/admin/"):
        return POLICY
    if path == "/api/v1/docs":
        return DOCUMENTATION_POLICY
    return POLICY + TRUSTED_TYPES


class ContentSecurityMiddleware:
    """Add these headers to every response, in sync and async handlers alike."""

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
            return self._protect(request, response)
        return self._protect_later(request, response)

    async def _protect_later(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        return self._protect(request, await response)

    def _protect(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", policy(request.path))
        if request.path.startswith("/api/"):
            # One person's figures must not come out of another's cache.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
