"""
What the exchange's WebSocket says, one value per message.

Here the wire's names end: `position_fp` becomes `quantity`, dollars in strings become Decimal.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar

from kalshi.clocks import reached
from kalshi.errors import DecodeError
from kalshi.fields import Fields, parse
from kalshi.lifecycle import Determined, LifecycleEvent, Settled, decode_lifecycle

# Those of combos have a channel and a type of their own.
LIFECYCLE_TYPES = frozenset({"market_lifecycle_v2", "multivariate_market_lifecycle"})


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A channel is subscribed; `sid` names the subscription on this connection."""

    channel: str
    sid: int


@dataclass(frozen=True, slots=True)
class Ok:
    """A command succeeded; `market_tickers` are all markets of the subscription, if it tells."""

    id: int | None
    sid: int | None
    market_tickers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """A subscription ended as asked."""

    sid: int


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """An error frame: about a command (`id`), a subscription (`sid`), or neither."""

    id: int | None
    sid: int | None
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Ticker:
    """
    The whole state of one market's prices: YES dollars per contract, sizes in contracts.

    A side's price is None when nobody quotes it, the last price when nobody ever traded. `at` is
    the exchange's time of the change, None where that can't be right, `sent_at` when it queued the
    frame.
    """

    market_ticker: str
    last_price: Decimal | None
    yes_bid: Decimal | None
    yes_bid_size: Decimal
    yes_ask: Decimal | None
    yes_ask_size: Decimal
    at: datetime | None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarketPosition:
    """
    The whole state of one position after a change: signed contracts, dollars.

    `subaccount` None is the primary one, 0. The message has no time of its own but `sent_at`.
    """

    market_ticker: str
    quantity: Decimal
    exposure: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal
    subaccount: int | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fill:
    """
    One execution of an order of ours.

    Args:
        outcome_side: which way it moved us: buying YES and selling NO are both "yes".
        count: contracts, never negative.
        yes_price: dollars per contract, of YES whatever the side.
        fee_cost: dollars.
        post_quantity: the signed position after it.
    """

    trade_id: str
    order_id: str
    market_ticker: str
    outcome_side: Literal["yes", "no"]
    count: Decimal
    yes_price: Decimal
    fee_cost: Decimal
    is_taker: bool | None
    post_quantity: Decimal | None
    subaccount: int | None
    at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that we do not use; of the lifecycle, `type/event_type`."""

    type: str


Message = (
    Subscribed
    | Ok
    | Unsubscribed
    | CommandFailed
    | Ticker
    | MarketPosition
    | Fill
    | LifecycleEvent
    | Unknown
)


Told = TypeVar("Told")


class Frame:
    """
    One text of the exchange, read as far as its envelope; `message` reads the rest.

    Args:
        text: of one WebSocket frame.
    Raises:
        DecodeError: no JSON object with a type. The message does not repeat the text.
    """

    __slots__ = ("_fields", "type")

    def __init__(self, text: str | bytes) -> None:
        self._fields = Fields(parse(text), "message")
        self.type = self._fields.text("type")

    @property
    def place(self) -> tuple[int, int] | None:
        """The frame's sid and seq, None on the channels and frames without."""
        sid, seq = self._fields.value("sid"), self._fields.value("seq")
        # Not by the readers: what is no number here is no reason to lose the message. JSON's true
        # is an int to Python.
        return (sid, seq) if type(sid) is int and type(seq) is int else None

    @property
    def market_ticker(self) -> str | None:
        """The market that the message is about, if it says so; found without reading the rest."""
        body = self._fields.value("msg")
        ticker = body.get("market_ticker") if isinstance(body, dict) else None
        return ticker if isinstance(ticker, str) else None

    def message(self) -> Message:
        """
        Raises:
            DecodeError: a type we know without what we need of it. The message does not repeat it.
        """
        frame = self._fields
        match self.type:
            case "ticker":
                return _ticker(frame, Fields(frame.value("msg"), "ticker"))
            case "market_position":
                return _market_position(frame, Fields(frame.value("msg"), "market_position"))
            case "fill":
                return _fill(frame, Fields(frame.value("msg"), "fill"))
            case lifecycle if lifecycle in LIFECYCLE_TYPES:
                body = Fields(frame.value("msg"), lifecycle)
                return decode_lifecycle(body) or Unknown(f"{lifecycle}/{body.text('event_type')}")
            case "subscribed":
                body = Fields(frame.value("msg"), "subscribed")
                return Subscribed(body.text("channel"), body.integer("sid"))
            case "ok":
                return Ok(_integer(frame, "id"), _integer(frame, "sid"), _market_tickers(frame))
            case "unsubscribed":
                return Unsubscribed(frame.integer("sid"))
            case "error":
                return _command_failed(frame, Fields(frame.value("msg"), "error"))
            case other:
                return Unknown(other)


def in_time(told: Told, now: datetime) -> Told:
    """
    The same, without times that have yet to come; an execution of such a time is of now.

    Args:
        now: by the exchange's clock.
    """
    match told:
        case Ticker(at=at) if reached(at, now) is not at:
            return replace(told, at=None)
        case MarketPosition(sent_at=sent_at) if reached(sent_at, now) is not sent_at:
            return replace(told, sent_at=None)
        case Fill(at=at, sent_at=sent_at) if (
            reached(at, now) is not at or reached(sent_at, now) is not sent_at
        ):
            sent_at = reached(sent_at, now)
            return replace(told, at=reached(at, now) or sent_at or now, sent_at=sent_at)
        case Determined(at=at) | Settled(at=at) if reached(at, now) is not at:
            return replace(told, at=None)
        case _:
            return told


def quoted(price: Decimal, size: Decimal) -> Decimal | None:
    """
    The price of one side of the book, None when nobody stands there.

    Only the size tells: an empty side is priced 0 or 1 depending on the market's history.
    """
    return price if size > 0 else None


def traded(price: Decimal) -> Decimal | None:
    """The last price, None for the exchange's 0, which means never traded."""
    return price or None


def _ticker(frame: Fields, body: Fields) -> Ticker:
    bid, ask = body.dollars("yes_bid_dollars"), body.dollars("yes_ask_dollars")
    bid_size, ask_size = body.contracts("yes_bid_size_fp"), body.contracts("yes_ask_size_fp")
    return Ticker(
        market_ticker=body.ticker("market_ticker"),
        last_price=traded(body.dollars("price_dollars")),
        yes_bid=quoted(bid, bid_size),
        yes_bid_size=bid_size,
        yes_ask=quoted(ask, ask_size),
        yes_ask_size=ask_size,
        at=body.readable(body.milliseconds, "ts_ms") or body.time("time"),
        sent_at=_sent_at(frame),
    )


def _market_position(frame: Fields, body: Fields) -> MarketPosition:
    return MarketPosition(
        market_ticker=body.ticker("market_ticker"),
        quantity=body.contracts("position_fp"),
        exposure=body.amount("position_cost_dollars"),
        realized_pnl=body.dollars("realized_pnl_dollars"),
        fees_paid=body.dollars("fees_paid_dollars"),
        subaccount=body.optional(body.subaccount, "subaccount"),
        sent_at=_sent_at(frame),
    )


def _fill(frame: Fields, body: Fields) -> Fill:
    return Fill(
        trade_id=body.identifier("trade_id"),
        order_id=body.readable(body.identifier, "order_id") or "",
        market_ticker=body.ticker("market_ticker"),
        outcome_side=decode_outcome_side(body),
        count=body.contracts("count_fp"),
        yes_price=body.dollars("yes_price_dollars"),
        fee_cost=body.dollars("fee_cost"),
        is_taker=body.readable(body.flag, "is_taker"),
        post_quantity=body.optional(body.contracts, "post_position_fp"),
        subaccount=body.optional(body.subaccount, "subaccount"),
        at=body.milliseconds("ts_ms"),
        sent_at=_sent_at(frame),
    )


def decode_outcome_side(body: Fields) -> Literal["yes", "no"]:
    """Which way a fill moved us."""
    # Not from `side` and `action`: on a sale the wire's pair contradicts the documented one.
    match body.text("outcome_side"):
        case "yes":
            return "yes"
        case "no":
            return "no"
        case _:
            raise DecodeError("fill: outcome_side is neither yes nor no")


def _command_failed(frame: Fields, body: Fields) -> CommandFailed:
    return CommandFailed(
        id=_integer(frame, "id"),
        sid=_integer(frame, "sid"),
        code=body.integer("code"),
        text=body.text_or_empty("msg"),
    )


def _market_tickers(frame: Fields) -> tuple[str, ...]:
    if not isinstance(frame.value("msg"), dict):
        return ()
    body = Fields(frame.value("msg"), "ok")
    if not body.has("market_tickers"):
        return ()
    tickers = body.items("market_tickers")
    return tuple(ticker for ticker in tickers if isinstance(ticker, str))


def _integer(fields: Fields, name: str) -> int | None:
    return fields.optional(fields.integer, name)


def _sent_at(frame: Fields) -> datetime | None:
    # It orders what is told; a frame without it counts as one that came in order.
    return frame.readable(frame.milliseconds, "sending_ts_ms")
