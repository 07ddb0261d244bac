"""Middleware of Django's kind, done where the request is."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class Inline(MiddlewareMixin):
    """
    For middleware that only reckons with what is in memory.

    Under ASGI Django has a thread do each step of it, going and coming, which takes far longer than
    the step: of a thousand clients that opened their streams at once it was two of three seconds.
    """

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """What Django calls under ASGI."""
        answer: HttpResponseBase | None = None
        if hasattr(self, "process_request"):
            answer = self.process_request(request)
        if answer is None:
            answer = await self.get_response(request)  # type: ignore[misc]  # async, as we are
        if hasattr(self, "process_response"):
            answer = self.process_response(request, answer)
        return answer
