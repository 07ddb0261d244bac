"""
The exchange's WebSocket: a thin shell over websockets, around `protocol.Session`.

One connection. When to open the next is the caller's decision.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from logging import INFO, getLogger
from typing import Any, Self, cast
from urllib.parse import urlsplit

import websockets
from websockets.asyncio import client
from websockets.frames import CloseCode

from kalshi.environments import Environment
from kalshi.errors import (
    AnswerTooLarge,
    KeyRefused,
    ScopeRefused,
    TurnedAway,
    Unavailable,
    error_of_response,
)
from kalshi.protocol import Event, Session
from kalshi.signing import SigningKey, headers

_OPEN_TIMEOUT_SECONDS = 10.0
# The exchange may send 64 MiB. The longest that we ask for tells all tickers of a subscription:
# 26,000 of 40 characters.
MAXIMUM_MESSAGE_BYTES = 2**20
# Frames that wait to be read, before the exchange has to wait: 16 MiB of them at the most.
_MAXIMUM_QUEUE = 16

# At DEBUG the library writes the handshake's headers, our signature among them, into the log.
_wire_logger = getLogger("kalshi.socket.wire")
_wire_logger.setLevel(INFO)


class Socket:
    """
    An open connection: an asynchronous iterator of what the exchange says.

    Iterating raises Unavailable when the connection ends, however it ends (AnswerTooLarge, its
    child, when a message was too long), and may be left and taken up again. Whoever iterates must
    be quick: the exchange cuts off a slow reader.

    Attributes:
        session: what is subscribed. After asking it for something, call `send_pending`.
    """

    def __init__(self, connection: "_Connection") -> None:
        self.session = Session()
        self._connection = connection
        self._events: deque[Event] = deque()

    @property
    def last_seen(self) -> datetime:
        """
        The exchange's last sign of life, UTC.

        Anything it sent counts: messages, its ping every 10 seconds, its answers to ours.
        """
        return self._connection.last_seen

    @property
    def silent_seconds(self) -> float:
        """
        How long the exchange has been silent, by the time of day.

        The pings that find a silent peer go by a clock that stands still while the machine sleeps.
        """
        return (datetime.now(UTC) - self.last_seen).total_seconds()

    @property
    def unanswered_seconds(self) -> float:
        """How long the oldest command that the exchange has not answered has waited; 0 if none."""
        since = self.session.waits_since
        return 0.0 if since is None else time.monotonic() - since

    async def send_pending(self) -> None:
        """
        Send the commands that the session has ready.

        Raises:
            Unavailable: the connection is gone.
        """
        try:
            for frame in self.session.to_send(time.monotonic()):
                await self._connection.send(frame)
        except websockets.ConnectionClosed as error:
            raise _end_of_connection(error) from error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            try:
                # Undecoded, because text that isn't UTF-8 would otherwise end the connection.
                text = await self._connection.recv(decode=False)
            except websockets.ConnectionClosed as error:
                raise _end_of_connection(error) from error
            self._events.extend(self.session.receive(text))
            # A confirmation may release the channel's next command.
            await self.send_pending()
        return self._events.popleft()


@asynccontextmanager
async def connect(
    environment: Environment,
    key_id: str,
    key: SigningKey,
    *,
    clock: Callable[[], float] = time.time,
    dead_after_seconds: float = 30.0,
) -> AsyncIterator[Socket]:
    """
    One connection, closed on leaving. Nothing is subscribed yet.

    Args:
        clock: Unix time in seconds, for the signature.
        dead_after_seconds: how long a silent peer may go unnoticed.
    Raises:
        KalshiError: its children, as from REST: Unavailable when there is no connection, or what
            the exchange answered instead of opening one.
    """
    path = urlsplit(environment.ws_url).path
    signed = headers(key_id, key, "GET", path, int(clock() * 1000))
    connection = await _opened(environment, signed, dead_after_seconds)
    try:
        yield Socket(connection)
    finally:
        await connection.close()


async def knock(environment: Environment) -> None:
    """
    Ask for a connection without a key: whoever answers as the exchange must can be reached.

    Raises:
        KalshiError: its children: nobody answers, or not as the exchange would.
    """
    try:
        connection = await _opened(environment, {}, dead_after_seconds=30.0)
    except (KeyRefused, ScopeRefused):
        return
    except TurnedAway as error:
        # What a WebSocket says to strangers is not documented, but it is this.
        if error.status != HTTPStatus.UNAUTHORIZED:
            raise
    else:
        await connection.close()


async def _opened(
    environment: Environment, sent: dict[str, str], dead_after_seconds: float
) -> "_Connection":
    try:
        opened = await client.connect(
            environment.ws_url,
            additional_headers=sent,
            create_connection=_Connection,
            # Never one of the process's environment.
            proxy=environment.ws_proxy,
            open_timeout=_OPEN_TIMEOUT_SECONDS,
            # Interval, wait for the answer and wait for the connection to close add up to the
            # longest silence: 10 + 18 + 2 of 30 seconds.
            ping_interval=dead_after_seconds * 10 / 30,
            ping_timeout=dead_after_seconds * 18 / 30,
            close_timeout=dead_after_seconds * 2 / 30,
            max_size=MAXIMUM_MESSAGE_BYTES,
            max_queue=_MAXIMUM_QUEUE,
            # Messages are a few hundred bytes: inflating them costs more than it saves.
            compression=None,
            logger=_wire_logger,
        )
    except (OSError, websockets.WebSocketException) as error:
        raise Unavailable("The exchange's WebSocket cannot be reached.") from error
    return cast(_Connection, opened)  # the library makes what `create_connection` says


class _Connection(client.ClientConnection):
    """The library's connection, with our errors for a refusal and a note of the last arrival."""

    last_seen: datetime

    async def handshake(self, *args: Any, **kwargs: Any) -> None:  # the library's own arguments
        try:
            await super().handshake(*args, **kwargs)
        except websockets.InvalidStatus as error:
            # Here rather than in `connect`, because the library would follow a redirect and show
            # our signature to another host.
            response = error.response
            body = bytes(response.body or b"")
            date = response.headers.get("Date")
            raise error_of_response(response.status_code, body, date) from error

    def data_received(self, data: bytes) -> None:
        self.last_seen = datetime.now(UTC)
        super().data_received(data)


def _end_of_connection(error: websockets.ConnectionClosed) -> Unavailable:
    # If it was first the exchange that said so, it meant ours.
    ours = None if error.rcvd_then_sent else error.sent
    if ours is not None and ours.code == CloseCode.MESSAGE_TOO_BIG:
        return AnswerTooLarge()
    return Unavailable("The connection to the exchange is gone.")
