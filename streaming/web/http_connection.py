"""
One HTTP connection of a client who may mean us harm: what it may hold, and for how long.

uvicorn reads headers of any size, and closes a connection only once something was answered over
it. What is told here is told before there is a request, so before anything of Django's.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

logger = logging.getLogger(__name__)

HEAD_BYTES = 64 * 1024
# From the connection, or the first byte of a further request, to the end of its headers. While an
# answer is under way that end is not waited for.
HEAD_SECONDS = 15.0
# A body as it travels, in chunks that say more of themselves than they hold.
BODY_WIRE_BYTES = 512 * 1024
# Requests that a client may send without waiting for answers; one read may hold thousands.
PIPELINED = 16
# A client that takes nothing of its answer for so long has gone, or never meant to.
TAKE_SECONDS = 60.0


class BoundedConnection(HttpToolsProtocol):
    """
    uvicorn's connection with limits.

    Too large a head is answered 431, too slow a one 408; beyond `limit_concurrency` connections
    (uvicorn's own setting, which it would count in requests) a new one is answered 503. Who sends
    too many requests without waiting for answers, or too large a head meanwhile, is cut off.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: uvicorn's own arguments
        super().__init__(*args, **kwargs)
        self._limit, self.limit_concurrency = self.limit_concurrency, None
        # Of a request whose headers are not complete.
        self._head_bytes = 0
        self._has_asked = False
        self._is_in_head = False
        self._body_bytes = 0
        self._answering: RequestResponseCycle | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._take_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if self._limit is not None and len(self.connections) > self._limit:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections. Try again later.")
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._stop(self._head_timer)
        self._stop(self._take_timer)
        self._head_timer = self._take_timer = None
        self._let_go_of_answer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what was sent, up to the limits."""
        if self.transport.is_closing():
            return
        self._has_asked = False
        is_between_requests, was_in_head = self._is_between_requests, self._is_in_head
        if is_between_requests and self._head_timer is None:
            self._await_head()
        super().data_received(data)
        if self._has_asked:
            self._head_bytes = 0
            self._count_body(len(data))
        elif was_in_head or is_between_requests:
            self._count_head(len(data))
        else:
            # A head that began in the midst of it is counted from the next read on.
            self._count_body(len(data))

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or, after a chunked body, a trailer, which uvicorn would take for one."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request on; one whose headers came in one piece may be too large still."""
        self._has_asked = True
        self._is_in_head = False
        self._stop(self._head_timer)
        self._head_timer = None
        if self.transport.is_closing():
            return
        if len(self.pipeline) >= PIPELINED:
            self._hang_up()
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES:
            self._refuse_head()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """As uvicorn's, save for a request that was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """As uvicorn's, save for a request that was refused."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client takes less than it is sent: for so long, but not for ever."""
        super().pause_writing()
        if self._take_timer is None:
            self._take_timer = self.loop.call_later(TAKE_SECONDS, self._cut_off)

    def resume_writing(self) -> None:
        """It has taken what there was."""
        self._stop(self._take_timer)
        self._take_timer = None
        super().resume_writing()

    def on_response_complete(self) -> None:
        """As uvicorn's; the headers of a further request, if they have begun, must now end."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._is_in_head and self._is_between_requests and self._head_timer is None:
            self._await_head()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _let_go_of_answer(self) -> None:
        # uvicorn tells only the last request that the client is gone. One that others wait behind
        # would write on, and its failure would fill the log.
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _unsupported_upgrade_warning(self) -> None:
        # The request is answered like any other; a line a request would only fill the log.
        pass

    @property
    def _is_between_requests(self) -> bool:
        # Of several requests, uvicorn's cycle is the last.
        return self.cycle is None or self.cycle.response_complete

    def _count_head(self, size: int) -> None:
        # The parser keeps an unfinished header to itself, whatever is being answered meanwhile, and
        # copies all of it at each read, so what goes in is counted.
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def _count_body(self, size: int) -> None:
        # The edge limits what a body holds; what stands between its chunks and after them, and
        # never reaches the edge, is limited here.
        if self.cycle is None or not self.cycle.more_body or self.cycle.response_complete:
            self._body_bytes = 0
            return
        self._body_bytes += size
        if self._body_bytes > BODY_WIRE_BYTES and not self.transport.is_closing():
            self._let_go_of_answer()
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large.")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._is_in_head or self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.")
        else:
            self.transport.close()

    def _hang_up(self) -> None:
        # Without a word, which would stand in the middle of an answer.
        self._let_go_of_answer()
        # Who takes nothing would not take the rest either, and is waited for.
        if self.flow.write_paused:
            self.transport.abort()
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        if not self._is_between_requests:
            self._hang_up()
            return
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"The address and headers are larger than {HEAD_BYTES // 1024} KB.",
        )

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        body = f"{message}\n".encode()
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(body)
            + b"cache-control: no-store\r\nconnection: close\r\n\r\n"
            + body
        )
        self.transport.close()

    def _cut_off(self) -> None:
        self._take_timer = None
        # Not closed in an orderly way, which would wait for the client to take the rest.
        self.transport.abort()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
