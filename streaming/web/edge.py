"""
What a request may cost before a view has seen it: the size and the time of its body, and its turn.

ASGI in, ASGI out. The application gets requests that are whole already, and not too many at once:
each takes a thread and a connection to the database. It is done with them before their answers are
sent, so that a client that takes its time takes nobody's turn. An answer that is made while it is
sent says so, by the header that tells proxies not to hold it; its turn ends where it begins.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_header_parameters

from accounts import log_context, refusals
from accounts.errors import (
    ApiError,
    DatabaseAway,
    MalformedRequest,
    NoWebSocket,
    RequestTooLarge,
    RequestTooSlow,
    UnreadableCookies,
)
from accounts.turns import Turns
from postgres.connections import has_been_silent
from streaming.web.counts import COUNTS

BODY_BYTES = 64 * 1024
# Two fields as of `accounts.schemas.AuthenticateIn`, or a name and a password.
SIGN_IN_BYTES = 32 * 1024
SIGN_IN_PATHS = (
    "/api/v1/account/authenticate",
    "/api/v1/account/login",
    "/api/v1/account/login/passkey",
    "/api/v1/account/login/passkey/options",
    "/api/v1/account/recover",
    "/admin/login/",
)
BODY_SECONDS = 15.0
# How many requests are worked on, and how many more may wait for their turn, for how long.
AT_ONCE = 32
WAITING = 256
TURN_SECONDS = 5.0
# To take a quoted cookie apart, Python 3.11 reads to its end again for each of these: 4 ms for so
# many, 7 s for as many as fit in. No cookie of ours has one.
BACKSLASHES = 200


class Edge:
    """
    Puts limits in front of an ASGI application.

    Args:
        is_light: whether requests for a path need neither a thread nor the database. Those take no
            turn, and their answers are sent as they come.
    """

    def __init__(self, application: Any, is_light: Callable[[str], bool]) -> None:  # Any: ASGI's
        self._application = application
        self._is_light = is_light
        self._turns = Turns(AT_ONCE, WAITING, TURN_SECONDS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One ASGI connection."""
        match scope["type"]:
            case "http":
                try:
                    await self._request(scope, receive, send)
                except ApiError as error:
                    await _answer(scope, send, error)
            case "websocket":
                # Before it was accepted: the server answers 403.
                await send({"type": "websocket.close"})
            case _:
                await self._application(scope, receive, send)

    async def _request(self, scope: Any, receive: Any, send: Any) -> None:
        if b"websocket" in (value.lower() for value in _headers(scope, b"upgrade")):
            raise NoWebSocket
        _check_headers(scope)
        body = await _body(scope, receive)
        if body is None:
            return
        replayed = _Replayed(body, receive)
        # A stream is open for hours.
        del body
        if self._is_light(scope["path"]):
            await self._application(scope, replayed, send)
            return
        # Django holds the whole of such an answer anyway.
        answer: list[Any] = []

        is_streamed = False

        async def hold(message: Any) -> None:
            nonlocal is_streamed
            if message["type"] == "http.response.start" and _is_streamed(message):
                is_streamed = True
                await turn.aclose()
            if is_streamed:
                await send(message)
            else:
                answer.append(message)

        asked = time.monotonic()
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self._turns.turn_async())
            begun = time.monotonic()
            COUNTS.turns.observe(begun - asked)
            await self._application(scope, replayed, hold)
            if _is_refusal(answer) and has_been_silent(since=begun):
                # It was waited for as long as anybody should; who comes next would wait as well.
                self._turns.refuse_waiting(DatabaseAway)
        for message in answer:
            await send(message)


def _is_refusal(answer: list[Any]) -> bool:
    return bool(answer) and answer[0].get("status") == HTTPStatus.SERVICE_UNAVAILABLE


def _is_streamed(start: Any) -> bool:
    return any(
        (name.lower(), value) == (b"x-accel-buffering", b"no")
        for name, value in start.get("headers", ())
    )


class _Replayed:
    """ASGI's `receive` for a request whose body is known; after it, what the client does."""

    def __init__(self, body: bytes, receive: Any) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Any:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _check_headers(scope: Any) -> None:
    """
    See that what Django makes of the headers costs little and is no error of ours.

    Raises:
        UnreadableCookies, MalformedRequest.
    """
    if sum(value.count(b"\\") for value in _headers(scope, b"cookie")) > BACKSLASHES:
        raise UnreadableCookies
    for value in _headers(scope, b"content-type"):
        try:
            _, parameters = parse_header_parameters(value.decode("latin-1"))
        except (ValueError, LookupError):
            raise MalformedRequest from None
        # Python has codecs that are none for text; browsers and programs send this one.
        if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise MalformedRequest


async def _body(scope: Any, receive: Any) -> bytes | None:
    """
    The whole body; None if the client left before it was sent.

    Raises:
        MalformedRequest, RequestTooLarge, RequestTooSlow: before any more is read.
    """
    longest = SIGN_IN_BYTES if scope["path"] in SIGN_IN_PATHS else BODY_BYTES
    declared = _headers(scope, b"content-length")
    if len(declared) > 1 or not all(length.isdigit() for length in declared):
        raise MalformedRequest
    # By its length first: no number that is allowed has so many digits.
    if any(len(length) > 9 or int(length) > longest for length in declared):
        raise RequestTooLarge(longest)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > longest:
                    raise RequestTooLarge(longest)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestTooSlow from None


def _headers(scope: Any, wanted: bytes) -> list[bytes]:
    return [bytes(value) for name, value in scope["headers"] if name == wanted]


async def _answer(scope: Any, send: Any, error: ApiError) -> None:
    answer = refusals.answer(scope["path"], refusals.of_api_error(error))
    COUNTS.requests[answer.status] += 1
    COUNTS.refusals[error.code] += 1
    # What is left of the body is not read.
    request_id = log_context.request_id() or ""
    headers = answer.headers | {"Connection": "close", log_context.HEADER: request_id}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
