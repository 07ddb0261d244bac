"""
The present state of things as REST answers it, one value per kind. `history` has what happened.

Each `decode` takes one parsed JSON object and raises DecodeError when a field that a figure rests
on is missing or of another type, the integer cents of former years included. What only describes
is None, or an empty text, where it can't be understood.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from kalshi.fields import Fields
from kalshi.lifecycle import settlement_value
from kalshi.messages import quoted, traded

# Of a market whose status isn't told.
UNKNOWN_STATUS = "unknown"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """
    One API key of the account.

    `subaccount` is the only one it may see, None for any; `scopes` is empty when they aren't told.
    """

    api_key_id: str
    name: str
    scopes: tuple[str, ...]
    subaccount: int | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "API key")
        return cls(
            api_key_id=fields.identifier("api_key_id"),
            name=fields.text_or_empty("name"),
            # One that can't be understood might allow anything: then none is told.
            scopes=fields.readable(fields.words, "scopes") or (),
            # Not to be guessed: it decides whose positions the key shows.
            subaccount=fields.optional(fields.subaccount, "subaccount"),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """
    Cash, and the exchange's own figure for the positions, which does not contain it; in dollars.

    `updated_at` is to the second.
    """

    balance: Decimal
    portfolio_value: Decimal | None
    updated_at: datetime | None

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
            portfolio_value=fields.readable(fields.cents, "portfolio_value"),
            updated_at=fields.readable(fields.seconds, "updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class SubaccountBalance:
    """The cash of one subaccount on one shard of the exchange, in dollars; 0 is the primary."""

    subaccount: int
    exchange_index: int | None
    balance: Decimal
    updated_at: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "subaccount balance")
        return cls(
            subaccount=fields.subaccount("subaccount_number"),
            exchange_index=fields.readable(fields.integer, "exchange_index"),
            balance=fields.dollars("balance"),
            updated_at=fields.readable(fields.seconds, "updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Netting:
    """
    Whether a subaccount gets back early what several positions in one event can't lose together.

    Told for each subaccount on each shard of the exchange.
    """

    subaccount: int
    is_enabled: bool
    exchange_index: int | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "netting")
        return cls(
            subaccount=fields.subaccount("subaccount_number"),
            is_enabled=fields.flag("enabled"),
            exchange_index=fields.readable(fields.integer, "exchange_index"),
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
            last_updated_at=fields.readable(fields.time, "last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Market:
    """
    One market: YES prices in dollars per contract, sizes in contracts.

    Prices follow the rules of `messages.Ticker`: None where nobody quotes or ever traded. Quotes
    mean something only while `status` is "active". Prices carry no time here. Whatever can't be
    understood but the ticker is as if it weren't told.

    Args:
        yes_outcome, no_outcome: what each side stands for, such as a team.
        status: "unknown" if it isn't told.
        result: "yes", "no", "scalar", or "" while open.
        settlement_value: dollars one YES contract pays, once determined; where the exchange tells
            a result without a value, the one that follows from it.
        settled_at: when it paid; None before.
        expected_at: when the exchange expects the outcome.
        market_type: "binary" or "scalar", "" if it isn't told.
    """

    ticker: str
    event_ticker: str | None
    yes_outcome: str
    no_outcome: str
    title: str
    status: str
    result: str
    yes_bid: Decimal | None
    yes_bid_size: Decimal | None
    yes_ask: Decimal | None
    yes_ask_size: Decimal | None
    last_price: Decimal | None
    close_time: datetime | None
    settlement_value: Decimal | None
    settled_at: datetime | None
    expected_at: datetime | None
    market_type: str

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "market")
        fields.refuse_legacy("yes_bid_dollars", "yes_ask_dollars", "last_price_dollars")
        bid = fields.readable(fields.dollars, "yes_bid_dollars")
        ask = fields.readable(fields.dollars, "yes_ask_dollars")
        bid_size = fields.readable(fields.contracts, "yes_bid_size_fp")
        ask_size = fields.readable(fields.contracts, "yes_ask_size_fp")
        last_price = fields.readable(fields.dollars, "last_price_dollars")
        result = fields.text_or_empty("result")
        return cls(
            ticker=fields.ticker("ticker"),
            event_ticker=fields.readable(fields.ticker, "event_ticker"),
            yes_outcome=fields.text_or_empty("yes_sub_title"),
            no_outcome=fields.text_or_empty("no_sub_title"),
            title=fields.text_or_empty("title"),
            status=fields.text_or_empty("status") or UNKNOWN_STATUS,
            result=result,
            yes_bid=None if bid is None or bid_size is None else quoted(bid, bid_size),
            yes_bid_size=bid_size,
            yes_ask=None if ask is None or ask_size is None else quoted(ask, ask_size),
            yes_ask_size=ask_size,
            last_price=None if last_price is None else traded(last_price),
            close_time=fields.readable(fields.time, "close_time"),
            settlement_value=settlement_value(fields, "settlement_value_dollars", result),
            settled_at=fields.readable(fields.time, "settlement_ts"),
            expected_at=fields.readable(fields.time, "expected_expiration_time"),
            market_type=fields.text_or_empty("market_type"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """
    The event that a group of markets belongs to.

    `collateral_return_type` is "MECNET", "DIRECNET" or "" for none, None if it can't be understood;
    `mutually_exclusive` says that at most one of the markets can settle YES, None if it isn't told.
    The overrides are of the series' fees, None where those hold.
    """

    event_ticker: str
    series_ticker: str | None
    title: str
    sub_title: str
    mutually_exclusive: bool | None
    collateral_return_type: str | None
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "event")
        return cls(
            event_ticker=fields.ticker("event_ticker"),
            series_ticker=fields.readable(fields.ticker, "series_ticker"),
            title=fields.text_or_empty("title"),
            sub_title=fields.text_or_empty("sub_title"),
            mutually_exclusive=fields.readable(fields.flag, "mutually_exclusive"),
            collateral_return_type=fields.readable(fields.text, "collateral_return_type")
            if fields.has("collateral_return_type")
            else "",
            fee_type_override=fields.readable(fields.text, "fee_type_override"),
            fee_multiplier_override=fields.readable(fields.number, "fee_multiplier_override"),
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
    trading_active: bool | None
    estimated_resume_time: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "exchange status")
        return cls(
            exchange_active=fields.flag("exchange_active"),
            trading_active=fields.readable(fields.flag, "trading_active"),
            estimated_resume_time=fields.readable(fields.time, "exchange_estimated_resume_time"),
        )
