"""
GET requests to the exchange's REST API, signed or not: a thin shell over httpx.

One request, one answer. Whether and when to ask again is the caller's decision; asking too fast is
not: requests wait for their turn here.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpx

from kalshi import clocks, pool
from kalshi.allowance import Allowance
from kalshi.bodies import ACCEPTED_ENCODING, Body
from kalshi.cursors import Trail
from kalshi.environments import Environment
from kalshi.errors import ClockSkew, Unavailable, error_of_response
from kalshi.fields import Fields, parse
from kalshi.pacing import Pacer
from kalshi.signing import SigningKey, headers

Params = Mapping[str, str | int]

# For all pages of a list: a hundred thousand rows take half of it at the lowest tier's limits.
LIST_SECONDS = 120.0
# A connection that was kept may be closed as it is used again: by the other side, which has waited
# long enough, or by httpcore, which closes idle ones that it has just given away
# (github.com/encode/httpcore/issues/1110). That says nothing of the exchange. So often it is asked
# by another one, should it be of that kind too.
KEPT_TRIES = 3


@cache
def _tls() -> ssl.SSLContext:
    # Some 20 ms and half a megabyte each, and all alike.
    return httpx.create_ssl_context()


def connections(environment: Environment) -> httpx.AsyncClient:
    """Connections of one account, to be kept while it is followed; to be closed."""
    # Cookies would be kept for as long as the connections, as many as there come.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    way = pool.Transport(verify=_tls(), trust_env=False, proxy=_proxy(environment.api_proxy))
    # Proxies of the process's environment are not meant for signed requests. How long one takes
    # `Transport` limits, as a whole; httpx would end each that says nothing for five seconds.
    return httpx.AsyncClient(
        transport=way, cookies=no_cookies, trust_env=False, timeout=httpx.Timeout(None)
    )


def _proxy(url: str | None) -> httpx.Proxy | None:
    if url is None:
        return None
    return httpx.Proxy(url, ssl_context=_tls() if url.startswith("https:") else None)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer of whatever status, with its whole body.

    Attributes:
        date: its Date header.
        age: for how long a cache on the way has had it.
    """

    status: int
    body: bytes
    date: str | None
    age: timedelta = timedelta(0)


class _KeptConnectionBroke(Exception):
    """A request found the connection that it was sent by closed."""


class _Way:
    """Which way one request took, as httpcore tells."""

    def __init__(self) -> None:
        self._is_new = self._is_sent = False

    @property
    def is_kept(self) -> bool:
        """Whether it was sent by a connection that others had used."""
        return self._is_sent and not self._is_new

    async def note(self, event: str, _: object) -> None:
        """Something happens to the request; what it is called is httpcore's."""
        if event == "connection.connect_tcp.started":
            self._is_new = True
        elif event == "http11.send_request_headers.started":
            self._is_sent = True


class Transport:
    """
    One API key's way to the endpoints of one environment.

    Args:
        key: None to ask as anybody may, without a key.
        http: the connections to use; stays open on `close`. None for its own.
        clock: Unix time in seconds, for signatures.
        timeout_seconds: for one request with its whole answer, its turn not counted.
        pacer: keeps to the account's limits.
    """

    def __init__(
        self,
        environment: Environment,
        key_id: str,
        key: SigningKey | None,
        *,
        http: httpx.AsyncClient | None,
        clock: Callable[[], float],
        timeout_seconds: float,
        pacer: Pacer,
    ) -> None:
        self._base = environment.api_base.rstrip("/")
        self._key_id = key_id
        self._key = key
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._pacer = pacer
        self._owns_http = http is None
        self._http = connections(environment) if http is None else http
        self.clock_skew: timedelta | None = None
        # Whether an answer told it that is no error.
        self._is_clock_sure = False

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def get(self, path: str, params: Params | None = None) -> object:
        """What a successful answer says, as parsed JSON; anything else raises a KalshiError."""
        return answer_of(await self.send(path, params))

    async def pages(
        self, path: str, name: str, params: Params, allowance: Allowance | None = None
    ) -> list[object]:
        """
        The rows of all pages of a list, undecoded, in the exchange's order.

        Args:
            name: the field of the answer that holds them.
            allowance: what they may take, with other lists; None for one of their own.
        Raises:
            DecodeError: a page names an earlier one as the next.
            AnswerTooLarge: they are without measure.
            Unavailable: they take too long.
        """
        rows: list[object] = []
        try:
            async with asyncio.timeout(LIST_SECONDS):
                async for page in self.each_page(path, name, params, allowance or Allowance()):
                    rows += page
        except TimeoutError as error:
            raise Unavailable("The exchange took too long to answer.") from error
        return rows

    async def each_page(
        self, path: str, name: str, params: Params, allowance: Allowance | None = None
    ) -> AsyncGenerator[list[object], None]:
        """
        The same a page at a time, each asked for when it is wanted; those without rows are left
        out.

        Args:
            allowance: None for a list of any length.
        Raises:
            DecodeError: the pages go round, or empty ones have no end.
        """
        trail = Trail(name)
        query = dict(params)
        while True:
            page = await self.send(path, query)
            answer = Fields(answer_of(page), name)
            rows = answer.items(name)
            # Strictly: a cursor that was misread would pass for the end of the list.
            cursor = answer.optional(answer.text, "cursor")
            if allowance is not None:
                allowance.take(page.body, len(rows))
            if rows:
                yield rows
            # Missing, null and empty all mean the last page.
            if not cursor:
                return
            trail.follow(cursor, is_empty=not rows)
            query["cursor"] = cursor

    async def send(self, path: str, params: Params | None = None) -> Answer:
        """
        The answer to one request, whatever its status.

        Raises:
            Unavailable: there was none, or AnswerTooLarge, its child.
            DecodeError: its compression can't be undone.
        """
        for _ in range(KEPT_TRIES):
            try:
                return await self._send_once(path, params)
            except _KeptConnectionBroke:
                pass
        raise Unavailable("The exchange cannot be reached.")

    async def _send_once(self, path: str, params: Params | None) -> Answer:
        request = self._http.build_request(
            "GET",
            self._base + path,
            params=params or {},
            headers={"Accept-Encoding": ACCEPTED_ENCODING},
        )
        way = _Way()
        request.extensions["trace"] = way.note
        # Signed as httpx will send it, with its percent-encoding.
        sent_path = request.url.raw_path.decode("ascii")
        endpoint = sent_path.partition("?")[0]
        await self._pacer.turn(endpoint)
        # Only now, as the signature is good for a few seconds.
        sent_at = self._clock()
        if self._key is not None:
            request.headers.update(
                headers(self._key_id, self._key, "GET", sent_path, int(sent_at * 1000))
            )
        started = time.monotonic()
        response = None
        try:
            # httpx limits each read, so that a peer sending a byte at a time would never time out.
            async with asyncio.timeout(self._timeout_seconds):
                # A redirect would carry our signature to another host.
                response = await self._http.send(request, follow_redirects=False, stream=True)
                round_trip = time.monotonic() - started
                self._pacer.answered(endpoint, response.status_code)
                try:
                    body = await _body_of(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise Unavailable("The exchange took too long to answer.") from error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            # An answer that is cut in the middle would be cut again.
            if way.is_kept and response is None:
                raise _KeptConnectionBroke from error
            raise Unavailable("The exchange cannot be reached.") from error
        except httpx.HTTPError as error:
            raise Unavailable("The exchange cannot be reached.") from error
        finally:
            if response is None:
                self._pacer.unanswered(endpoint)
        told = response.headers
        answer = Answer(response.status_code, body, told.get("Date"), clocks.age(told.get("Age")))
        self._heed_clock(answer, sent_at, round_trip)
        return answer

    def _heed_clock(self, answer: Answer, sent_at: float, round_trip: float) -> None:
        # A cache tells the time of before.
        skew = None if answer.age else clocks.skew(answer.date, sent_at, round_trip)
        if skew is None:
            return
        # An error may be a proxy's, whose clock is its own, unless it is about the clock.
        is_sure = answer.status == HTTPStatus.OK or _is_about_the_clock(answer)
        if is_sure or not self._is_clock_sure:
            self.clock_skew, self._is_clock_sure = skew, is_sure


def _is_about_the_clock(answer: Answer) -> bool:
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return False
    return isinstance(error_of_response(answer.status, answer.body, answer.date), ClockSkew)


async def _body_of(response: httpx.Response) -> bytes:
    headers = response.headers
    body = Body(headers.get("Content-Encoding"), headers.get("Content-Length"))
    # As it arrives: what httpx inflates, it inflates without a limit.
    async for chunk in cast(httpx.AsyncByteStream, response.stream):  # of an asynchronous client
        body.feed(chunk)
    return body.content


def answer_of(answer: Answer) -> object:
    """
    The parsed body of a successful answer.

    Raises:
        KalshiError: its children, for any other.
    """
    if answer.status != HTTPStatus.OK:
        raise error_of_response(answer.status, answer.body, answer.date)
    return parse(answer.body)
