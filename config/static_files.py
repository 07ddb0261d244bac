"""Static files: hashed names that survive ES module imports, served by WhiteNoise under ASGI."""

from collections.abc import AsyncIterator, Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import FileResponse, HttpResponseBase
from django_manifeststaticfiles_enhanced.storage import EnhancedManifestStaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedStaticFilesStorage


class StaticFilesStorage(EnhancedManifestStaticFilesStorage, CompressedStaticFilesStorage):
    """Names carry a hash of the content, imports in modules follow, and each has its .gz beside it."""


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """
    WhiteNoise without its cost to streams.

    WhiteNoise's own middleware is synchronous: under ASGI it would put every request, the endless
    ones included, on a thread.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = super().__call__(request)
        if isinstance(response, FileResponse) and iscoroutinefunction(self):
            return self._stream(response)
        return response  # type: ignore[no-any-return]  # WhiteNoise is untyped

    async def _stream(self, response: FileResponse) -> HttpResponseBase:
        response.streaming_content = _chunks(response)
        return response


async def _chunks(response: FileResponse) -> AsyncIterator[bytes]:
    # Django would read the file whole, and warn, if it were given a plain iterator.
    chunks = iter(response.streaming_content)
    while chunk := await sync_to_async(next, thread_sensitive=False)(chunks, b""):
        yield chunk
