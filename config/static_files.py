"""
Static files: hashed names that survive ES module imports, compressed when they are collected, and
served by WhiteNoise under ASGI.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from weakref import finalize

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import FileResponse, HttpResponseBase
from django_manifeststaticfiles_enhanced.storage import EnhancedManifestStaticFilesStorage
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware

# Read where it is opened, on the event loop: to have a thread do so costs more than the read.
WHOLE_BYTES = 64 * 1024


class StaticFilesStorage(EnhancedManifestStaticFilesStorage):
    """
    Names carry a hash of the content, and so do the imports in modules.

    Beside each file whose name does lies its compressed form, which WhiteNoise finds by itself.
    """

    support_js_module_import_aggregation = True

    def post_process(
        self,
        *args: Any,
        **options: Any,  # Any: Django's own arguments
    ) -> Iterator[tuple[str, str | None, bool | Exception]]:
        """Hash, then compress; a file that would hardly become smaller stays as it is."""
        yield from super().post_process(*args, **options)
        if options.get("dry_run"):
            return
        compressor = Compressor(quiet=True)
        # Only those that pages name: the others are there for whoever types an address.
        names = [each for each in self.hashed_files.values() if compressor.should_compress(each)]
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda name: compressor.compress(self.path(name)), names))


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
                return _asynchronous(response)
        return response  # type: ignore[no-any-return]  # WhiteNoise is untyped


async def _asynchronous(response: FileResponse) -> HttpResponseBase:
    file = response.file_to_stream
    # Without a file it is a refusal, or says that nothing has changed.
    if file is None or int(response.headers["Content-Length"]) <= WHOLE_BYTES:
        with closing(response):
            content = file.read() if file else b""
        return HttpResponse(content, status=response.status_code, headers=response.headers)
    # Django would read the file whole, and warn, if it were left with a plain iterator.
    response.streaming_content = _chunks(iter(response))
    return response


async def _chunks(file: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await sync_to_async(lambda: next(file, b""), thread_sensitive=False)():
        yield chunk
