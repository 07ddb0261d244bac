"""The exchange's REST API, one method per call that we use."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import httpx

from kalshi import clocks
from kalshi.allowance import Allowance
from kalshi.batches import read_by_name
from kalshi.environments import Environment
from kalshi.errors import DecodeError, KalshiError
from kalshi.fields import Fields
from kalshi.history import Cutoff, Settlement, decode_fill
from kalshi.messages import Fill
from kalshi.milestones import Milestone
from kalshi.pacing import Pacer
from kalshi.periods import bounds
from kalshi.public import PublicReads
from kalshi.rate_limits import AccountLimits, EndpointCosts
from kalshi.reach import status_of
from kalshi.resources import (
    Balance,
    Event,
    ExchangeStatus,
    KeyRecord,
    Market,
    Netting,
    PositionRow,
    SubaccountBalance,
)
from kalshi.rows import LeftOut, Rows, decode_rows
from kalshi.schedule import Schedule
from kalshi.signing import SigningKey
from kalshi.transfers import ExchangeTransfer, Payment, SubaccountTransfer
from kalshi.transport import Params, Transport

T = TypeVar("T")

_ROWS_PER_PAGE = 1000
_TRANSFERS_PER_PAGE = 500
# Each brings along whatever is known of a game.
_MILESTONES_PER_PAGE = 100
_EVENTS_PER_PAGE = 200
# Each is stored at sign-in.
_MOST_KEYS = 1000


class Client(PublicReads):
    """
    The endpoints we use, asked with one API key.

    Every request is signed when it is sent, those too that the exchange would answer to anybody:
    anonymous answers come from a cache and are up to 15 seconds old. Requests wait until the
    account's limits allow them; `limits` and `endpoint_costs` make those limits known, until then
    they are those of the lowest tier. Lists are read to their last page.

    All calls raise the errors of `kalshi.errors`: Unavailable and its children when there was no
    usable answer, KeyRefused, ScopeRefused, ClockSkew or RequestRejected when the exchange refused,
    DecodeError when it answered something undocumented. A row of a list that can't be understood
    costs only itself: `Rows.left_out` names it.

    Args:
        http: the connections to use; stays open when the client is closed. None for its own.
        clock: Unix time in seconds.
        timeout_seconds: for one request with its whole answer.
        pacer: of all the account's clients, if there are more than this one.

    Attributes:
        knows_limits: whether the account's own have been told.
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
        pacer: Pacer | None = None,
    ) -> None:
        self._pacer = Pacer() if pacer is None else pacer
        self.knows_limits = False
        super().__init__(
            Transport(
                environment,
                key_id,
                key,
                http=http,
                clock=clock,
                timeout_seconds=timeout_seconds,
                pacer=self._pacer,
            )
        )

    @property
    def clock_skew(self) -> timedelta | None:
        """
        How far our clock is ahead of the exchange's, by its latest answer that is no error, or one
        about the clock; until there is one by any answer, None before the first.

        Right to about half a second.
        """
        return self._transport.clock_skew

    @property
    def exchange_now(self) -> datetime:
        """The time by the exchange's clock, as `clock_skew` tells that; before, by ours."""
        return datetime.now(UTC) - (self.clock_skew or timedelta())

    # The account

    async def api_keys(self) -> Rows[KeyRecord]:
        """All keys of the account that the client's key belongs to."""
        answer = Fields(await self._transport.get("/api_keys"), "API keys")
        records = answer.items("api_keys", at_most=_MOST_KEYS)
        return decode_rows(records, KeyRecord.decode, kind="API key", named_by="api_key_id")

    async def limits(self) -> AccountLimits:
        """What the account may ask for; the client goes by it from now on."""
        limits = AccountLimits.decode(await self._transport.get("/account/limits"))
        self._pacer.adopt(limits)
        self.knows_limits = True
        return limits

    async def endpoint_costs(self) -> EndpointCosts:
        """What requests cost; the client goes by it from now on."""
        costs = EndpointCosts.decode(await self._transport.get("/account/endpoint_costs"))
        self._pacer.adopt_costs(costs)
        return costs

    # The portfolio

    async def balance(self, subaccount: int) -> Balance:
        """
        Cash and the exchange's value of the positions.

        The exchange allows ordinary accounts one such call a second, counted apart.
        """
        answer = await self._transport.get("/portfolio/balance", {"subaccount": subaccount})
        return Balance.decode(answer)

    async def subaccount_balances(self) -> Rows[SubaccountBalance]:
        """The cash of every subaccount, one row per shard of the exchange."""
        answer = Fields(await self._transport.get("/portfolio/subaccounts/balances"), "balances")
        return decode_rows(
            answer.items("subaccount_balances"),
            SubaccountBalance.decode,
            kind="subaccount balance",
            named_by="subaccount_number",
            is_number=True,
        )

    async def netting(self) -> Rows[Netting]:
        """Which subaccounts get collateral back early, one row per shard of the exchange."""
        answer = Fields(await self._transport.get("/portfolio/subaccounts/netting"), "netting")
        return decode_rows(
            answer.items("netting_configs"),
            Netting.decode,
            kind="netting",
            named_by="subaccount_number",
            is_number=True,
        )

    async def positions(
        self, subaccount: int, status: Literal["unsettled", "settled", "all"] = "unsettled"
    ) -> Rows[PositionRow]:
        """
        All positions of all pages, the flat ones included; one row per market.

        Settled ones are here for some months, then in `historical_positions`.
        """
        params: dict[str, str | int] = {"subaccount": subaccount}
        if status != "unsettled":
            params["settlement_status"] = status
        return await self._positions("/portfolio/positions", params)

    async def historical_positions(self, subaccount: int) -> Rows[PositionRow]:
        """The settled positions that the exchange has archived; one row per market."""
        return await self._positions("/historical/positions", {"subaccount": subaccount})

    async def fills(
        self,
        subaccount: int,
        *,
        ticker: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows[Fill]:
        """
        The executions that are not archived, each once.

        Args:
            since, until: nothing in between is left out; a second or two outside may come along.
        """
        return await self._fills("/portfolio/fills", subaccount, ticker, since, until)

    async def historical_fills(
        self,
        subaccount: int,
        *,
        ticker: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows[Fill]:
        """The archived executions, those before the cutoff's `trades_created_at`; each once."""
        return await self._fills("/historical/fills", subaccount, ticker, since, until)

    async def settlements(
        self,
        subaccount: int,
        *,
        ticker: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows[Settlement]:
        """The payouts that are not archived; the exchange lists no others."""
        params = _listing(subaccount, ticker, since, until)
        rows = await self._transport.pages("/portfolio/settlements", "settlements", params)
        return _settlements_of(rows)

    def fill_pages(
        self,
        subaccount: int,
        *,
        archived: bool,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncGenerator[Rows[Fill], None]:
        """
        The executions page by page, for lists of any length; newest first, as the exchange lists.

        A page is asked for when it is wanted, and no more once the generator is closed. One that
        was read up to some time can be read on from there with `until`. A row may come twice.

        Args:
            archived: those of the archive, else those before which the archive ends.
            since, until: as of `fills`.
        """
        path = "/historical/fills" if archived else "/portfolio/fills"
        params = _listing(subaccount, None, since, until)
        return self._each_page(path, "fills", params, _fills_of)

    def settlement_pages(
        self, subaccount: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncGenerator[Rows[Settlement], None]:
        """The payouts that are not archived, page by page as `fill_pages`."""
        params = _listing(subaccount, None, since, until)
        return self._each_page("/portfolio/settlements", "settlements", params, _settlements_of)

    async def deposits(self) -> Rows[Payment]:
        """All money paid in, of the whole account."""
        return await self._payments("deposits")

    async def withdrawals(self) -> Rows[Payment]:
        """All money paid out, of the whole account."""
        return await self._payments("withdrawals")

    async def subaccount_transfers(self) -> Rows[SubaccountTransfer]:
        """All cash moved between subaccounts, of the whole account."""
        path, params = "/portfolio/subaccounts/transfers", {"limit": _ROWS_PER_PAGE}
        rows = await self._transport.pages(path, "transfers", params)
        return decode_rows(
            rows, SubaccountTransfer.decode, kind="subaccount transfer", named_by="transfer_id"
        )

    async def exchange_transfers(self) -> Rows[ExchangeTransfer]:
        """All cash moved between the exchange's instances and shards, of the whole account."""
        path = "/portfolio/intra_exchange_instance_transfers"
        rows = await self._transport.pages(path, "transfers", {"limit": _TRANSFERS_PER_PAGE})
        return decode_rows(
            rows, ExchangeTransfer.decode, kind="exchange transfer", named_by="transfer_id"
        )

    async def historical_cutoff(self) -> Cutoff:
        """Where the archive ends and the live data begins."""
        return Cutoff.decode(await self._transport.get("/historical/cutoff"))

    # Markets

    async def markets(self, tickers: Iterable[str]) -> Rows[Market]:
        """
        These markets, in no particular order; those the exchange no longer lists are missing.

        More than a hundred are asked for in several requests at once; those that the exchange fails
        on are among `left_out`, those of a request that got no answer `unanswered`.
        """
        return await self._markets("/markets", tickers)

    async def historical_markets(self, tickers: Iterable[str]) -> Rows[Market]:
        """Those of these markets that the exchange has archived, asked for as `markets` are."""
        return await self._markets("/historical/markets", tickers)

    async def markets_of_event(
        self, event_ticker: str, *, only_settled: bool = False
    ) -> Rows[Market]:
        """All markets of one event that are not archived; none if it is unknown."""
        params: Params = {
            "event_ticker": event_ticker,
            "limit": _ROWS_PER_PAGE,
            **({"status": "settled"} if only_settled else {}),
        }
        rows = await self._transport.pages("/markets", "markets", params)
        return decode_rows(rows, Market.decode, kind="market", named_by="ticker")

    async def events(self, event_tickers: Iterable[str]) -> Rows[Event]:
        """
        These events, in no particular order; combos and unknown ones are missing.

        More than a hundred are asked for in several requests at once; those that the exchange fails
        on are among `left_out`, those of a request that got no answer `unanswered`.
        """
        return await self._events("/events", event_tickers)

    async def multivariate_events(self, event_tickers: Iterable[str]) -> Rows[Event]:
        """These events of combos, in no particular order; unknown ones are missing."""
        return await self._events("/events/multivariate", event_tickers)

    async def milestones(self, event_ticker: str) -> Rows[Milestone]:
        """The happenings that an event has to do with."""
        params: Params = {"related_event_ticker": event_ticker, "limit": _MILESTONES_PER_PAGE}
        rows = await self._transport.pages("/milestones", "milestones", params)
        return decode_rows(rows, Milestone.decode, kind="milestone", named_by="id")

    # The exchange

    async def exchange_status(self) -> ExchangeStatus:
        """Whether the exchange is open, also when it tells so in a 5xx answer."""
        return status_of(await self._transport.send("/exchange/status"))

    async def outage(self) -> ExchangeStatus | None:
        """
        The exchange's own word that it is not active; None if it is, or does not say.

        Asked to tell why nothing else would be answered: that it can't be asked means nothing.
        """
        try:
            status = await self.exchange_status()
        except KalshiError:
            return None
        return None if status.exchange_active else status

    async def exchange_schedule(self) -> Schedule:
        """When the exchange trades, and when it will be down for maintenance."""
        return Schedule.decode(await self._transport.get("/exchange/schedule"))

    async def user_data_timestamp(self) -> datetime:
        """How fresh REST's balance, positions and fills are, about; UTC."""
        answer = await self._transport.get("/exchange/user_data_timestamp")
        as_of = clocks.reached(
            Fields(answer, "user data timestamp").time("as_of_time"), self.exchange_now
        )
        if as_of is None:
            raise DecodeError("The exchange's age of the account's data has yet to come.")
        return as_of

    async def _positions(self, path: str, params: dict[str, str | int]) -> Rows[PositionRow]:
        pages = await self._transport.pages(
            path, "market_positions", params | {"limit": _ROWS_PER_PAGE}
        )
        rows = decode_rows(pages, PositionRow.decode, kind="position", named_by="ticker")
        # A row that moved between two pages while we read is listed twice: the later is newer.
        return Rows({row.ticker: row for row in rows}.values(), rows.left_out)

    async def _markets(self, path: str, tickers: Iterable[str]) -> Rows[Market]:
        return await self._by_name(
            *(path, "markets", tickers, _ROWS_PER_PAGE, Market.decode),
            kind="market",
            named_by="ticker",
        )

    async def _events(self, path: str, event_tickers: Iterable[str]) -> Rows[Event]:
        return await self._by_name(
            *(path, "events", event_tickers, _EVENTS_PER_PAGE, Event.decode),
            kind="event",
            named_by="event_ticker",
        )

    async def _by_name(
        self,
        path: str,
        name: str,
        tickers: Iterable[str],
        rows_per_page: int,
        decode: Callable[[object], T],
        **named: str,
    ) -> Rows[T]:
        allowance = Allowance()

        def read(batch: Sequence[str]) -> Awaitable[list[object]]:
            params: Params = {"tickers": ",".join(batch), "limit": rows_per_page}
            return self._transport.pages(path, name, params, allowance)

        batched = await read_by_name(read, tickers)
        rows = decode_rows(batched.values, decode, kind=named["kind"], named_by=named["named_by"])
        refused = [
            LeftOut(named["kind"], ticker, str(error)) for ticker, error in batched.refused.items()
        ]
        return Rows(rows, [*rows.left_out, *refused], batched.unanswered)

    async def _fills(
        self,
        path: str,
        subaccount: int,
        ticker: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Rows[Fill]:
        params = _listing(subaccount, ticker, since, until)
        return _fills_of(await self._transport.pages(path, "fills", params))

    async def _each_page(
        self, path: str, name: str, params: Params, decode: Callable[[Iterable[object]], Rows[T]]
    ) -> AsyncGenerator[Rows[T], None]:
        async with aclosing(self._transport.each_page(path, name, params)) as pages:
            async for page in pages:
                yield decode(page)

    async def _payments(self, name: str) -> Rows[Payment]:
        rows = await self._transport.pages(
            f"/portfolio/{name}", name, {"limit": _TRANSFERS_PER_PAGE}
        )
        return decode_rows(rows, Payment.decode, kind="payment", named_by="id")


def _listing(
    subaccount: int, ticker: str | None, since: datetime | None, until: datetime | None
) -> dict[str, str | int]:
    params: dict[str, str | int] = {"subaccount": subaccount, "limit": _ROWS_PER_PAGE}
    if ticker is not None:
        params["ticker"] = ticker
    return params | bounds(since, until)


def _fills_of(rows: Iterable[object]) -> Rows[Fill]:
    fills = decode_rows(rows, decode_fill, kind="fill", named_by="trade_id")
    return Rows({fill.trade_id: fill for fill in fills}.values(), fills.left_out)


def _settlements_of(rows: Iterable[object]) -> Rows[Settlement]:
    return decode_rows(rows, Settlement.decode, kind="settlement", named_by="ticker")
