"""
Django's own middleware without a thread for each step of it.

The settings name Django's, which its checks look for; the server's handler takes these in their
place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware

from accounts.inline import Inline


class InlineSecurityMiddleware(Inline, SecurityMiddleware):
    """HSTS, nosniff, and where a page's address is told."""


class InlineCommonMiddleware(Inline, CommonMiddleware):
    """The slash at an address's end, and the length of answers."""


class InlineCsrfMiddleware(Inline, CsrfViewMiddleware):
    """The CSRF cookie, and the token that changes need."""

    def __init__(self, get_response: Any) -> None:  # Any: Django's own
        super().__init__(get_response)
        if self.async_mode:
            # Django asks this of the middleware once it is made.
            self.process_view = self._looked_at_inline  # type: ignore[assignment, method-assign]

    async def _looked_at_inline(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        return super().process_view(request, *view)


class InlineMessageMiddleware(Inline, MessageMiddleware):
    """What the admin says on its next page."""


class InlineXFrameOptionsMiddleware(Inline, XFrameOptionsMiddleware):
    """No page of ours within another."""


_OURS = (
    InlineSecurityMiddleware,
    InlineCommonMiddleware,
    InlineCsrfMiddleware,
    InlineMessageMiddleware,
    InlineXFrameOptionsMiddleware,
)
# The second of its bases is Django's.
_IN_PLACE_OF = {
    f"{ours.__bases__[1].__module__}.{ours.__bases__[1].__qualname__}": (
        f"{ours.__module__}.{ours.__qualname__}"
    )
    for ours in _OURS
}


@contextmanager
def in_place_of_djangos() -> Iterator[None]:
    """While a handler loads its middleware."""
    named = settings.MIDDLEWARE
    settings.MIDDLEWARE = [_IN_PLACE_OF.get(name, name) for name in named]
    try:
        yield
    finally:
        settings.MIDDLEWARE = named
