"""
What REST tells of an account, as the tracker wants it, whatever of it can be read.

Only the list of positions is needed. Markets that are missing, or can't be read, are shown by their
ticker until they are; titles come after everything else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from kalshi.clocks import to_milliseconds
from kalshi.errors import KalshiError
from kalshi.history import Settlement
from kalshi.resources import UNKNOWN_STATUS, Event, Market, PositionRow
from kalshi.rest import Client
from kalshi.rows import LeftOut, Rows
from positions.pnl import CENT, MarketState, Quote
from positions.portfolio import EventFacts, MarketFacts
from positions.tickers import event_of, series_of
from streaming.together import all_of
from streaming.worker.counts import COUNTS

logger = logging.getLogger(__name__)

T = TypeVar("T")
MarketRead = tuple[MarketFacts, MarketState, Quote]

# How long others wait for an answer that only helps.
HELP_SECONDS = 2.0
# Each of an answer's rows that can't be understood is logged, up to so many: they are read again
# every minute.
LOGGED_ROWS = 20
# The exchange lists the events of combos apart from all others.
_COMBOS = "KXMVE"


@dataclass(frozen=True, slots=True)
class PositionsRead:
    """The account's list of positions, and how old it is by the exchange's own account."""

    rows: dict[str, PositionRow]
    left_out: tuple[LeftOut, ...]
    as_of: datetime | None


@dataclass(slots=True)
class MarketsRead:
    """
    What REST tells of markets.

    Attributes:
        known: by ticker; one that REST does not know, and that is new here, by its ticker alone.
        missing: tickers to be asked for again.
    """

    known: dict[str, MarketRead] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    left_out: tuple[LeftOut, ...] = ()

    def add(self, other: "MarketsRead") -> None:
        """Take in what another read told."""
        self.known |= other.known
        self.missing |= other.missing
        self.left_out += other.left_out


async def if_possible(read: Awaitable[T], what: str, *, seconds: float | None = None) -> T | None:
    """
    The answer to a read that only helps; None if there is none.

    What it is refused for, such as a dead key, the reads that are needed are refused for as well.
    Rows of it that can't be understood are named in the log.

    Args:
        seconds: how long it may take, where others wait for it.
    """
    try:
        async with asyncio.timeout(seconds):
            answer = await read
    except (KalshiError, TimeoutError) as error:
        logger.info("not told", extra={"what": what, "error": str(error) or "too late"})
        return None
    if isinstance(answer, Rows):
        log_left_out(answer.left_out)
    return answer


async def read_age(rest: Client) -> datetime | None:
    """
    How old the account's data is: what is read from now on is of this instant or later.

    By the exchange's clock; None where it does not say.
    """
    return await if_possible(
        rest.user_data_timestamp(), "age of the account's data", seconds=HELP_SECONDS
    )


async def read_positions(rest: Client, subaccount: int, as_of: datetime | None) -> PositionsRead:
    """
    All unsettled positions; the rows that can't be understood are named beside them.

    Args:
        as_of: what `read_age` said before.
    Raises:
        KalshiError: the list can't be had.
    """
    rows = await rest.positions(subaccount)
    log_left_out(rows.left_out)
    return PositionsRead({row.ticker: row for row in rows}, rows.left_out, as_of)


async def read_markets(
    rest: Client, tickers: Iterable[str], known: Mapping[str, MarketFacts]
) -> MarketsRead:
    """
    Facts, state and quote of these markets; what is known of one that is missing stays as it is.

    Args:
        known: facts of markets that are here already.
    """
    wanted = sorted(tickers)
    if not wanted:
        return MarketsRead()
    rows = await if_possible(rest.markets(wanted), "markets")
    if rows is None:
        # Told apart from no rows, beside which some may be left out.
        rows = Rows[Market]()
    read = MarketsRead(left_out=rows.left_out)
    events = _known_events(known.values())
    answered = {market.ticker: market for market in rows}
    for ticker in wanted:
        market = answered.get(ticker)
        if market is not None:
            read.known[ticker] = _read(market, events)
            continue
        read.missing.add(ticker)
        if ticker not in known:
            read.known[ticker] = _untold(ticker, events)
    if read.missing:
        logger.info("markets not told", extra={"tickers": " ".join(sorted(read.missing)[:10])})
    return read


def untold(tickers: Iterable[str], known: Mapping[str, MarketFacts]) -> MarketsRead:
    """The same while REST has told nothing: all of them are missing."""
    events = _known_events(known.values())
    missing = set(tickers)
    return MarketsRead(
        {ticker: _untold(ticker, events) for ticker in missing - known.keys()}, missing
    )


async def read_payouts(
    rest: Client, subaccount: int, tickers: Collection[str], since: datetime
) -> dict[str, Settlement] | None:
    """What the account was paid for these markets since then, if that can be had."""
    rows = await if_possible(
        rest.settlements(subaccount, since=since), "settlements", seconds=HELP_SECONDS
    )
    return None if rows is None else {row.ticker: row for row in rows if row.ticker in tickers}


async def read_traded(rest: Client, subaccount: int, since: Mapping[str, datetime]) -> set[str]:
    """
    Those of these markets that the account has traded in after a moment each, if it is told.

    Within a millisecond nothing is known to be later: holdings are dated by those.
    """
    fills = await if_possible(
        rest.fills(subaccount, since=min(since.values())), "fills", seconds=HELP_SECONDS
    )
    return {
        fill.market_ticker
        for fill in fills or ()
        if fill.market_ticker in since and to_milliseconds(fill.at) > since[fill.market_ticker]
    }


def value_paid(row: Settlement) -> Decimal | None:
    """What a contract paid, if it leads to what was paid in all: it is told in whole cents."""
    if row.expected is None or abs(row.expected - row.payout) >= CENT:
        return None
    return row.yes_value


async def read_events(rest: Client, event_tickers: Iterable[str]) -> dict[str, EventFacts]:
    """The titles of these events, as far as they can be read."""
    wanted = set(event_tickers)
    combos = {ticker for ticker in wanted if ticker.startswith(_COMBOS)}

    # Cancelled before it has begun, work leaves nothing behind only if it made nothing before.
    async def told(
        read: Callable[[Iterable[str]], Awaitable[Rows[Event]]], tickers: set[str], what: str
    ) -> Rows[Event] | None:
        return await if_possible(read(tickers), what)

    answers = await all_of(
        told(rest.events, wanted - combos, "events"),
        told(rest.multivariate_events, combos, "events of combos"),
    )
    return {
        event.event_ticker: EventFacts(
            event.series_ticker or series_of(event.event_ticker),
            event.title,
            event.collateral_return_type,
        )
        for answer in answers
        for event in answer or Rows[Event]()
        if event.title
    }


def log_left_out(rows: Sequence[LeftOut]) -> None:
    """Say which rows could not be understood; of many, the first."""
    COUNTS.left_out += len(rows)
    for row in rows[:LOGGED_ROWS]:
        logger.warning(
            "row not understood",
            extra={"kind": row.kind, "row": row.name, "reason": row.reason},
        )
    if len(rows) > LOGGED_ROWS:
        logger.warning("rows not understood", extra={"count": len(rows)})


def _known_events(markets: Iterable[MarketFacts]) -> dict[str, EventFacts]:
    return {
        facts.event_ticker: EventFacts(
            facts.series_ticker, facts.title, facts.collateral_return_type
        )
        for facts in markets
        if facts.is_described
    }


def _read(market: Market, events: Mapping[str, EventFacts]) -> MarketRead:
    event_ticker = market.event_ticker or event_of(market.ticker)
    event = events.get(event_ticker)
    facts = MarketFacts(
        event_ticker=event_ticker,
        series_ticker=event.series_ticker if event else series_of(event_ticker),
        # The market's own stands in until the event's has been read.
        title=event.title if event else market.title or market.ticker,
        yes_outcome=market.yes_outcome,
        no_outcome=market.no_outcome,
        close_time=market.close_time,
        is_described=event is not None,
        expected_at=market.expected_at,
        collateral_return_type=event.collateral_return_type if event else None,
    )
    quote = Quote(
        market.yes_bid,
        market.yes_ask,
        market.last_price,
        yes_bid_size=market.yes_bid_size,
        yes_ask_size=market.yes_ask_size,
    )
    since = {"closed": market.close_time, "finalized": market.settled_at}.get(market.status)
    return facts, MarketState(market.status, market.settlement_value, since), quote


def _untold(ticker: str, events: Mapping[str, EventFacts]) -> MarketRead:
    event_ticker = event_of(ticker)
    event = events.get(event_ticker)
    facts = MarketFacts(
        event_ticker=event_ticker,
        series_ticker=event.series_ticker if event else series_of(ticker),
        title=event.title if event else ticker,
        yes_outcome="",
        no_outcome="",
        close_time=None,
        is_described=event is not None,
        collateral_return_type=event.collateral_return_type if event else None,
    )
    return facts, MarketState(UNKNOWN_STATUS), Quote()
