"""
The exchange's REST API: a thin shell over httpx.

One call, one answer. Whether and when to ask again is the caller's decision.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from kalshi.environments import Environment
from kalshi.errors import DecodeError, Unavailable, error_of_response
from kalshi.fields import Fields, parse
from kalshi.resources import Balance, Event, ExchangeStatus, KeyRecord, Market, PositionRow
from kalshi.signing import SigningKey, headers

_POSITIONS_PER_PAGE = 1000
# The exchange names no maximum, but with more tickers the address outgrows what servers accept.
_TICKERS_PER_REQUEST = 100


class Client:
    """
    The endpoints we use, asked with one API key.

    Every request is signed when it is sent, those too that the exchange would answer to anybody:
    anonymous answers come from a cache and are up to 15 seconds old.

    All calls raise the errors of `kalshi.errors`: Unavailable and its child when there was no
    usable answer, KeyRefused, ScopeRefused, ClockSkew or RequestRejected when the exchange refused,
    DecodeError when it answered something undocumented.

    Args:
        http: the connections to use; stays open when the client is closed. None for its own.
        clock: Unix time in seconds.
        timeout_seconds: for one request with its whole answer.
    """

    def __init__(
        self,
        environment: Environment,
        key_id: str,
        key: SigningKey,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._base = environment.api_base.rstrip("/")
        self._key_id = key_id
        self._key = key
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._owns_http = http is None
        self._http = httpx.AsyncClient() if http is None else http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def api_keys(self) -> list[KeyRecord]:
        """All keys of the account that the client's key belongs to."""
        answer = Fields(await self._get("/api_keys"), "API keys")
        return [KeyRecord.decode(record) for record in answer.items("api_keys")]

    async def balance(self, subaccount: int) -> Balance:
        """
        Cash and the exchange's value of the positions.

        The exchange allows ordinary accounts one such call a second, counted apart.
        """
        return Balance.decode(await self._get("/portfolio/balance", {"subaccount": subaccount}))

    async def positions(self, subaccount: int) -> list[PositionRow]:
        """All unsettled positions of all pages, the flat ones included; one row per market."""
        params: dict[str, str | int] = {"subaccount": subaccount, "limit": _POSITIONS_PER_PAGE}
        rows: dict[str, PositionRow] = {}
        cursors: set[str] = set()
        while True:
            answer = Fields(await self._get("/portfolio/positions", params), "positions")
            # A row that moved between two pages while we read is listed twice: the later is newer.
            page = map(PositionRow.decode, answer.items("market_positions"))
            rows.update((row.ticker, row) for row in page)
            cursor = answer.text("cursor") if answer.has("cursor") else ""
            if not cursor or cursor in cursors:
                return list(rows.values())
            cursors.add(cursor)
            params["cursor"] = cursor

    async def markets(self, tickers: Iterable[str]) -> list[Market]:
        """These markets, in no particular order; those the exchange no longer lists are missing."""
        wanted = list(dict.fromkeys(tickers))
        markets = []
        for start in range(0, len(wanted), _TICKERS_PER_REQUEST):
            batch = wanted[start : start + _TICKERS_PER_REQUEST]
            answer = Fields(
                await self._get("/markets", {"tickers": ",".join(batch), "limit": len(batch)}),
                "markets",
            )
            markets += [Market.decode(market) for market in answer.items("markets")]
        return markets

    async def event(self, event_ticker: str) -> Event:
        """One event, without its markets."""
        path = f"/events/{quote(event_ticker, safe='')}"
        answer = Fields(await self._get(path, {"exclude_markets": "true"}), "event answer")
        return Event.decode(answer.value("event"))

    async def exchange_status(self) -> ExchangeStatus:
        """Whether the exchange is open, also when it tells so in a 5xx answer."""
        response = await self._send("/exchange/status", {})
        try:
            return ExchangeStatus.decode(parse(response.content))
        except DecodeError:
            _raise_unless_success(response)
            raise

    async def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> object:
        response = await self._send(path, params or {})
        _raise_unless_success(response)
        return parse(response.content)

    async def _send(self, path: str, params: Mapping[str, str | int]) -> httpx.Response:
        request = self._http.build_request("GET", self._base + path, params=params)
        # Signed as httpx will send it, with its percent-encoding.
        sent_path = request.url.raw_path.decode("ascii")
        now_ms = int(self._clock() * 1000)
        request.headers.update(headers(self._key_id, self._key, "GET", sent_path, now_ms))
        try:
            # httpx limits each read, so that a peer sending a byte at a time would never time out.
            async with asyncio.timeout(self._timeout_seconds):
                # A redirect would carry our signature to another host.
                return await self._http.send(request, follow_redirects=False)
        except TimeoutError as error:
            raise Unavailable("The exchange took too long to answer.") from error
        except httpx.HTTPError as error:
            raise Unavailable("The exchange cannot be reached.") from error


def _raise_unless_success(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        date = response.headers.get("Date")
        raise error_of_response(response.status_code, response.content, date)
