"""
A worker's own small HTTP port: its metrics, and whether it lives.

In the worker's event loop, on purpose: a loop that hangs answers nobody, and that shows. One
request a connection, its head small and quick, and only so many at once; no more of HTTP is needed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus

from accounts.addresses import is_direct
from streaming import exposition, scrapers

logger = logging.getLogger(__name__)

LONGEST_HEAD = 8 * 1024
SECONDS = 5.0
AT_ONCE = 8
METRICS, HEALTH = "/metrics", "/healthz"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without its length."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    header: str = ""

    def encode(self, *, with_body: bool) -> bytes:
        """As it travels."""
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
            f"Cache-Control: no-store\r\n{self.header}Connection: close\r\n\r\n"
        )
        return head.encode() + (self.body if with_body else b"")


def answered(head: bytes, peer: str, *, token: str | None, metrics: Callable[[], bytes]) -> bytes:
    """
    The response to a request's head.

    Args:
        peer: the address that it came from.
        token: METRICS_TOKEN.
        metrics: their text, made only for whoever may read it.
    """
    line, _, rest = head.decode("latin-1").partition("\r\n")
    method, _, target = line.removesuffix(" HTTP/1.1").removesuffix(" HTTP/1.0").partition(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, separator, value in (each.partition(":") for each in rest.split("\r\n"))
        if separator
    }
    answer = _answer(method, target.partition("?")[0], headers, peer, token, metrics)
    return answer.encode(with_body=method != "HEAD")


def _answer(
    method: str,
    path: str,
    headers: dict[str, str],
    peer: str,
    token: str | None,
    metrics: Callable[[], bytes],
) -> Answer:
    if path not in (METRICS, HEALTH):
        return Answer(HTTPStatus.NOT_FOUND, b"Here are /metrics and /healthz.\n")
    if method not in ("GET", "HEAD"):
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, b"GET it.\n", header="Allow: GET, HEAD\r\n")
    if path == HEALTH:
        return Answer(HTTPStatus.OK, b'{"status": "ok"}', "application/json")
    match scrapers.verdict(
        token=token,
        authorization=headers.get("authorization"),
        is_direct_loopback=is_direct(peer, headers),
    ):
        case "wrong_token":
            challenge = "WWW-Authenticate: Bearer\r\n"
            return Answer(HTTPStatus.UNAUTHORIZED, b"Send METRICS_TOKEN.\n", header=challenge)
        case "elsewhere":
            return Answer(HTTPStatus.FORBIDDEN, b"For this machine alone.\n")
    return Answer(HTTPStatus.OK, metrics(), exposition.CONTENT_TYPE)


@asynccontextmanager
async def listening(
    host: str, port: int, *, token: str | None, metrics: Callable[[], bytes]
) -> AsyncIterator[int | None]:
    """
    Answer as long as the context lasts; its value is the port.

    None where the port is taken: that is logged, and no reason to feed no account.
    """
    under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            if under_way <= AT_ONCE:
                async with asyncio.timeout(SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    peer = writer.get_extra_info("peername")[0]
                    writer.write(answered(head, peer, token=token, metrics=metrics))
                    await writer.drain()
        # Who sends no request, or takes no answer, is not worth a line.
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            under_way -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    try:
        server = await asyncio.start_server(answer, host, port, limit=LONGEST_HEAD)
    except OSError as error:
        logger.error("metrics port not opened", extra={"port": port, "error": str(error)})
        yield None
        return
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
