"""Static files: hashed names that survive ES module imports, served by WhiteNoise under ASGI."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from weakref import finalize

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import FileResponse, HttpResponseBase
from django_manifeststaticfiles_enhanced.storage import EnhancedManifestStaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesStorage(EnhancedManifestStaticFilesStorage):
    """Names carry a hash of the content, and so do the imports in modules."""

    support_js_module_import_aggregation = True


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
        if isinstance(response, FileResponse):
            if response.file_to_stream is not None:
                # Django forgets a response whose visitor hangs up while it is made.
                finalize(response, response.file_to_stream.close)
            if iscoroutinefunction(self):
                return _streamed(response)
        return response  # type: ignore[no-any-return]  # WhiteNoise is untyped


async def _streamed(response: FileResponse) -> HttpResponseBase:
    # Django would read the file whole, and warn, if it were left with a plain iterator.
    response.streaming_content = _chunks(iter(response))
    return response


async def _chunks(file: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await sync_to_async(lambda: next(file, b""), thread_sensitive=False)():
        yield chunk
