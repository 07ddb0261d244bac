"""
Django's ASGI handler, made for streams that stay open for hours.

Stock Django gives every request a thread of its own for as long as it lasts, and keeps the request.
A stream needs neither once it is open, so its path goes round that; a thousand streams then need no
more threads than one. Nor does a static file, however slowly it is taken, nor a probe.
"""

import asyncio
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from accounts import log_context
from streaming.web.admission import Admission
from streaming.web.counts import COUNTS
from streaming.web.edge import Edge
from streaming.web.hub import Hub
from streaming.web.inline_middleware import in_place_of_djangos
from streaming.web.seats import Seat, Seats
from streaming.web.stream import Stream

STREAM_PATH = "/sse/positions"
HEALTH_PATH = "/healthz"
METRICS_PATH = "/metrics"
_LIGHT = (STREAM_PATH, HEALTH_PATH, METRICS_PATH)
_STREAMING = "streaming.web"
_HUB = "streaming.web.hub"


@dataclass(slots=True)
class Streaming:
    """
    What serves a stream: who may have one, what it brings, and the place it has.

    Attributes:
        gone: done once the client has left.
        stream: the one that was opened; None where none was.
    """

    admission: Admission
    hub: Hub
    seat: Seat
    gone: asyncio.Future[Any]  # with ASGI's own message
    stream: Stream | None = None


class StreamingHandler(ASGIHandler):
    """Serves Django's URLs, and starts and stops what serves streams with the server."""

    def __init__(self) -> None:
        super().__init__()
        self._admission: Admission | None = None
        self.hub: Hub | None = None
        self._edge = Edge(self._serve, _is_light)
        self._seats = Seats(settings.STREAMS_PER_SESSION, settings.STREAMS_TOTAL)

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django does, but with ours in the place of what would take threads."""
        with in_place_of_djangos():
            super().load_middleware(is_async)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # ASGI's own loose types
        """One ASGI connection: the server's own life, a stream, or any other request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        with log_context.of_a_request():
            await self._edge(scope, receive, send)

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """As Django's, with the id by which the log tells of this request."""
        COUNTS.requests[response.status_code] += 1
        if code := getattr(response, "code", None):
            COUNTS.refusals[code] += 1
        response.headers[log_context.HEADER] = log_context.request_id() or ""
        await super().send_response(response, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if not _is_light(scope["path"]):
            await super().__call__(scope, receive, send)
            return
        if scope["path"] == METRICS_PATH:
            await self.handle({**scope, _HUB: self.hub}, receive, send)
            return
        if scope["path"] != STREAM_PATH:
            await self.handle(scope, receive, send)
            return
        with self._seats.one() as seat:
            if self._admission and self.hub:
                await self._stream(scope, self._admission, self.hub, seat, receive, send)
            else:
                # The view says what is missing.
                await self.handle(scope, receive, send)

    async def _stream(
        self,
        scope: Any,
        admission: Admission,
        hub: Hub,
        seat: Seat,
        receive: Any,
        send: Any,
    ) -> None:
        # The body, which is whole already: a stream's says nothing.
        await receive()
        gone = asyncio.create_task(receive())
        streaming = Streaming(admission, hub, seat, gone)
        try:
            answer = await self._answer({**scope, _STREAMING: streaming})
            if stream := streaming.stream:
                # At once if it has left already; the last that it was to be sent is sent to nobody.
                gone.add_done_callback(lambda _: stream.end())
            await self.send_response(answer, send)
        except asyncio.CancelledError:
            # It left while it was looked at: nobody waits for an answer.
            if not gone.done():
                raise
        finally:
            gone.cancel()

    async def _answer(self, scope: Any) -> HttpResponseBase:
        """As Django's `handle`, without what it does in threads for requests that use the ORM."""
        set_script_prefix(get_script_prefix(scope))
        request, refusal = self.create_request(scope, BytesIO())
        if refusal is not None:
            return refusal
        answer: HttpResponseBase = await self.run_get_response(cast(ASGIRequest, request))
        # Else the request would be kept for as long as the stream is open.
        answer._resource_closers.clear()  # type: ignore[attr-defined]  # Django's own
        return answer

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._admission, self.hub = Admission(), Hub()
        await self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.gather(self.hub.stop(), self._admission.stop())
        await send({"type": "lifespan.shutdown.complete"})


def _is_light(path: str) -> bool:
    # The probes too: they say how the process is, however much it has to do.
    return path in _LIGHT or path.startswith(settings.STATIC_URL)


def streaming_of(request: HttpRequest) -> Streaming:
    """
    What serves a stream's request.

    Raises:
        RuntimeError: the server did not announce its start, as the ASGI specification wants.
    """
    # Only requests under ASGI have a scope.
    streaming = getattr(request, "scope", {}).get(_STREAMING)
    if not isinstance(streaming, Streaming):
        raise RuntimeError("streams need an ASGI server with lifespan, such as manage.py serve")
    return streaming


def hub_of(request: HttpRequest) -> Hub | None:
    """What serves this process's streams; None where none are served."""
    hub = getattr(request, "scope", {}).get(_HUB)
    return hub if isinstance(hub, Hub) else None
