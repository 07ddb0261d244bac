"""
Django's ASGI handler, made for streams that stay open for hours.

Stock Django gives every request a thread of its own for as long as it lasts. A stream needs none
once it is open, so its path goes round that; a thousand streams then need no more threads than one.
"""

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest

from streaming.web.hub import Hub

STREAM_PATH = "/sse/positions"
_HUB = "streaming.web.hub"


class StreamingHandler(ASGIHandler):
    """Serves Django's URLs, and starts and stops the process's hub with the server."""

    def __init__(self) -> None:
        super().__init__()
        self.hub: Hub | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # ASGI's own loose types
        """One ASGI connection: the server's own life, a stream, or any other request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == STREAM_PATH:
            await self.handle({**scope, _HUB: self.hub}, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self.hub = Hub()
        await self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})


def hub_of(request: HttpRequest) -> Hub:
    """
    The hub that serves a stream's request.

    Raises:
        RuntimeError: the server did not announce its start, as the ASGI specification wants.
    """
    # Only requests under ASGI have a scope.
    hub = getattr(request, "scope", {}).get(_HUB)
    if not isinstance(hub, Hub):
        raise RuntimeError("streams need an ASGI server with lifespan, such as manage.py serve")
    return hub
