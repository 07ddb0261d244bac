"""
The present state of things as REST answers it, one value per kind. `history` has what happened.

Each `decode` takes one parsed JSON object and raises DecodeError when a field we need is missing or
of another type, the integer cents of former years included.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from kalshi.fields import Fields
from kalshi.messages import quoted, traded


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One API key of the account; `subaccount` is the only one it may see, None for any."""

    api_key_id: str
    name: str
    scopes: tuple[str, ...]
    subaccount: int | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "API key")
        scopes = fields.items("scopes")
        return cls(
            api_key_id=fields.text("api_key_id"),
            name=fields.text_or_empty("name"),
            scopes=tuple(scope for scope in scopes if isinstance(scope, str)),
            subaccount=fields.optional(fields.integer, "subaccount"),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """
    Cash, and the exchange's own figure for the positions, which does not contain it; in dollars.

    `updated_at` is to the second.
    """

    balance: Decimal
    portfolio_value: Decimal
    updated_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "balance")
        return cls(
            balance=(
                fields.dollars("balance_dollars")
                if fields.has("balance_dollars")
                # Truncated to the cent, but better than nothing.
                else fields.cents("balance")
            ),
            portfolio_value=fields.cents("portfolio_value"),
            updated_at=fields.seconds("updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class SubaccountBalance:
    """The cash of one subaccount on one shard of the exchange, in dollars; 0 is the primary."""

    subaccount: int
    exchange_index: int | None
    balance: Decimal
    updated_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "subaccount balance")
        return cls(
            subaccount=fields.integer("subaccount_number"),
            exchange_index=fields.optional(fields.integer, "exchange_index"),
            balance=fields.dollars("balance"),
            updated_at=fields.seconds("updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position: signed contracts, dollars. Flat ones are listed too until they settle."""

    ticker: str
    quantity: Decimal
    exposure: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal
    last_updated_at: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "position")
        return cls(
            ticker=fields.ticker("ticker"),
            quantity=fields.contracts("position_fp"),
            exposure=fields.amount("market_exposure_dollars"),
            realized_pnl=fields.dollars("realized_pnl_dollars"),
            fees_paid=fields.dollars("fees_paid_dollars"),
            last_updated_at=fields.optional(fields.time, "last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Market:
    """
    One market: YES prices in dollars per contract, sizes in contracts.

    Prices follow the rules of `messages.Ticker`: None where nobody quotes or ever traded. Quotes
    mean something only while `status` is "active". `updated_at` is the last change of the
    description, not of the prices: those carry no time here.

    Args:
        yes_outcome, no_outcome: what each side stands for, such as a team.
        result: "yes", "no", "scalar", or "" while open.
        settlement_value: dollars one YES contract pays, once determined.
    """

    ticker: str
    event_ticker: str
    yes_outcome: str
    no_outcome: str
    title: str
    status: str
    result: str
    yes_bid: Decimal | None
    yes_bid_size: Decimal
    yes_ask: Decimal | None
    yes_ask_size: Decimal
    last_price: Decimal | None
    close_time: datetime
    settlement_value: Decimal | None
    updated_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "market")
        bid, ask = fields.dollars("yes_bid_dollars"), fields.dollars("yes_ask_dollars")
        bid_size = fields.contracts("yes_bid_size_fp")
        ask_size = fields.contracts("yes_ask_size_fp")
        return cls(
            ticker=fields.ticker("ticker"),
            event_ticker=fields.ticker("event_ticker"),
            yes_outcome=fields.text_or_empty("yes_sub_title"),
            no_outcome=fields.text_or_empty("no_sub_title"),
            title=fields.text_or_empty("title"),
            status=fields.text("status"),
            result=fields.text_or_empty("result"),
            yes_bid=quoted(bid, bid_size),
            yes_bid_size=bid_size,
            yes_ask=quoted(ask, ask_size),
            yes_ask_size=ask_size,
            last_price=traded(fields.dollars("last_price_dollars")),
            close_time=fields.time("close_time"),
            settlement_value=fields.optional(fields.dollars, "settlement_value_dollars"),
            updated_at=fields.time("updated_time"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """
    The event that a group of markets belongs to.

    `collateral_return_type` is "MECNET", "DIRECNET" or "" for none; `mutually_exclusive` says that
    at most one of the markets can settle YES.
    """

    event_ticker: str
    series_ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    collateral_return_type: str

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "event")
        return cls(
            event_ticker=fields.ticker("event_ticker"),
            series_ticker=fields.ticker("series_ticker"),
            title=fields.text_or_empty("title"),
            sub_title=fields.text_or_empty("sub_title"),
            mutually_exclusive=fields.flag("mutually_exclusive"),
            collateral_return_type=fields.text_or_empty("collateral_return_type"),
        )


@dataclass(frozen=True, slots=True)
class Series:
    """
    What an event is one of many of, such as all games of a league.

    Args:
        fee_type: which of the exchange's fee formulas holds, such as "quadratic".
        fee_multiplier: of that formula.
    """

    ticker: str
    title: str
    category: str
    frequency: str
    fee_type: str
    fee_multiplier: Decimal

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "series")
        return cls(
            ticker=fields.ticker("ticker"),
            title=fields.text_or_empty("title"),
            category=fields.text_or_empty("category"),
            frequency=fields.text_or_empty("frequency"),
            fee_type=fields.text("fee_type"),
            fee_multiplier=fields.number("fee_multiplier"),
        )


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Whether the exchange runs at all and whether it trades; the resume time is its estimate."""

    exchange_active: bool
    trading_active: bool
    estimated_resume_time: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "exchange status")
        return cls(
            exchange_active=fields.flag("exchange_active"),
            trading_active=fields.flag("trading_active"),
            estimated_resume_time=fields.optional(fields.time, "exchange_estimated_resume_time"),
        )
