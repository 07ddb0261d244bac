"""
Django's ASGI handler, made for streams that stay open for hours.

Stock Django gives every request a thread of its own for as long as it lasts. A stream needs none
once it is open, so its path goes round that; a thousand streams then need no more threads than one.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest

from streaming.web.admission import Admission
from streaming.web.hub import Hub

STREAM_PATH = "/sse/positions"
_STREAMING = "streaming.web"


@dataclass(frozen=True, slots=True)
class Streaming:
    """What serves streams: who may have one, and what it brings."""

    admission: Admission
    hub: Hub


class StreamingHandler(ASGIHandler):
    """Serves Django's URLs, and starts and stops what serves streams with the server."""

    def __init__(self) -> None:
        super().__init__()
        self._streaming: Streaming | None = None

    @property
    def hub(self) -> Hub | None:
        """The process's hub, once the server has started."""
        return self._streaming.hub if self._streaming else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # ASGI's own loose types
        """One ASGI connection: the server's own life, a stream, or any other request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == STREAM_PATH:
            await self.handle({**scope, _STREAMING: self._streaming}, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        streaming = self._streaming = Streaming(Admission(), Hub())
        await streaming.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.gather(streaming.hub.stop(), streaming.admission.stop())
        await send({"type": "lifespan.shutdown.complete"})


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
