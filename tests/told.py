"""What the exchange tells, made up for tests: frames, rows and markets with plain defaults."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kalshi.messages import Fill, MarketPosition, Ticker
from kalshi.resources import PositionRow
from positions.pnl import Holding, MarketState, Quote
from positions.portfolio import MarketFacts
from positions.reconciliation import compare
from positions.tracker import Read, Tracker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def amount(text: str | None) -> Decimal | None:
    """A figure that may be unknown."""
    return None if text is None else Decimal(text)


def holding(
    quantity: str, exposure: str = "0", realized_pnl: str = "0", fees_paid: str = "0"
) -> Holding:
    return Holding(Decimal(quantity), Decimal(exposure), Decimal(realized_pnl), Decimal(fees_paid))


def quote(
    yes_bid: str | None = "0.40",
    yes_ask: str | None = "0.46",
    last_price: str | None = "0.41",
    priced_at: datetime | None = None,
) -> Quote:
    return Quote(amount(yes_bid), amount(yes_ask), amount(last_price), priced_at)


def market(
    name: str = "A",
    *,
    status: str = "active",
    settlement_value: str | None = None,
    prices: Quote | None = None,
) -> tuple[MarketFacts, MarketState, Quote]:
    """A market as REST tells it."""
    facts = MarketFacts(
        event_ticker=f"KXGAME-{name}",
        series_ticker="KXGAME",
        title=f"Who wins {name}?",
        yes_outcome="Home",
        no_outcome="Away",
        close_time=NOON + timedelta(days=1),
    )
    return facts, MarketState(status, amount(settlement_value)), prices or quote()


def row(
    ticker: str,
    quantity: str,
    exposure: str = "0",
    realized_pnl: str = "0",
    fees_paid: str = "0",
    *,
    updated: float | None = None,
) -> PositionRow:
    """A position as REST lists it; `updated` is seconds after noon."""
    return PositionRow(
        ticker,
        Decimal(quantity),
        Decimal(exposure),
        Decimal(realized_pnl),
        Decimal(fees_paid),
        None if updated is None else at(updated),
    )


def prices(
    ticker: str,
    changed: float,
    *,
    yes_bid: str | None = "0.50",
    yes_ask: str | None = "0.55",
    last_price: str | None = "0.52",
) -> Ticker:
    """A ticker frame; `changed` is seconds after noon."""
    return Ticker(
        ticker,
        amount(last_price),
        amount(yes_bid),
        Decimal(10 if yes_bid else 0),
        amount(yes_ask),
        Decimal(10 if yes_ask else 0),
        at(changed),
    )


def position(
    ticker: str,
    quantity: str,
    exposure: str = "0",
    realized_pnl: str = "0",
    fees_paid: str = "0",
    *,
    sent: float | None = None,
) -> MarketPosition:
    """A position frame; `sent` is seconds after noon."""
    return MarketPosition(
        ticker,
        Decimal(quantity),
        Decimal(exposure),
        Decimal(realized_pnl),
        Decimal(fees_paid),
        None,
        None if sent is None else at(sent),
    )


def fill(ticker: str, post_quantity: str | None, *, sent: float = 0.0) -> Fill:
    """A fill frame, `sent` seconds after noon; only the quantity that it left counts here."""
    return Fill(
        trade_id="trade",
        order_id="order",
        market_ticker=ticker,
        outcome_side="yes",
        count=Decimal(1),
        yes_price=Decimal("0.5"),
        fee_cost=Decimal("0.0175"),
        is_taker=True,
        post_quantity=amount(post_quantity),
        subaccount=None,
        at=at(sent),
    )


def reconcile(
    tracker: Tracker,
    rows: list[PositionRow],
    markets: dict[str, tuple[MarketFacts, MarketState, Quote]] | None = None,
    *,
    requested_at: float = 100.0,
    as_of: float | None = None,
    unreadable: Iterable[str] = (),
    odd_markets: Collection[str] = (),
) -> frozenset[str]:
    """
    Reconcile as the worker does; markets not given are active. Returns the unconfirmed.

    `as_of` is seconds after noon; `unreadable` are positions whose rows can't be understood,
    `odd_markets` markets.
    """
    read_as_of = None if as_of is None else at(as_of)
    difference = compare(
        tracker.holdings,
        {each.ticker: each for each in rows},
        tracker.heard,
        requested_at,
        read_as_of=read_as_of,
        unreadable=frozenset(unreadable),
        heard_since=tracker.followed_since,
    )
    wanted = difference.changed.keys() | tracker.holdings.keys()
    tracker.apply_difference(
        difference,
        Read(
            markets={ticker: market(ticker) for ticker in wanted.difference(odd_markets)}
            | (markets or {}),
            requested_at=requested_at,
            at=NOON,
            as_of=read_as_of,
            unreadable_markets=frozenset(odd_markets),
            left_out=tuple(f"position {ticker}: odd" for ticker in unreadable),
        ),
    )
    return difference.unconfirmed
