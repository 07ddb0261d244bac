"""
What becomes of markets: one value per event of the lifecycle channels.

There is none for the passing of a market's open or close time. Times are those of the exchange, to
the second, UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kalshi.fields import Fields

# What one YES contract pays by the result alone; that of a scalar market is told or unknown.
VALUE_BY_RESULT = {"yes": Decimal(1), "no": Decimal(0)}


@dataclass(frozen=True, slots=True)
class Created:
    """A new market. REST may not know it for a moment."""

    market_ticker: str
    event_ticker: str | None
    title: str
    yes_outcome: str
    no_outcome: str
    open_time: datetime | None
    close_time: datetime | None


@dataclass(frozen=True, slots=True)
class Activated:
    """Trading goes on; orders that rested before are cancelled."""

    market_ticker: str


@dataclass(frozen=True, slots=True)
class Deactivated:
    """Trading is paused."""

    market_ticker: str


@dataclass(frozen=True, slots=True)
class CloseTimeChanged:
    """The market closes at another time than was told before."""

    market_ticker: str
    close_time: datetime | None


@dataclass(frozen=True, slots=True)
class Determined:
    """
    The result is known but not paid yet, and may still be disputed.

    Args:
        result: "yes", "no" or "scalar".
        settlement_value: dollars that one YES contract will pay; that of its result where the
            exchange tells none, None for a scalar one.
    """

    market_ticker: str
    result: str
    settlement_value: Decimal | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """The market has paid; positions in it are gone from REST's unsettled ones."""

    market_ticker: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PriceGridChanged:
    """Orders may have other prices; the grid itself is told by REST. `structure` is its name."""

    market_ticker: str
    structure: str


@dataclass(frozen=True, slots=True)
class MetadataChanged:
    """Strikes or names are others; `yes_outcome` if it is among them. REST tells the rest."""

    market_ticker: str
    yes_outcome: str | None


LifecycleEvent = (
    Created
    | Activated
    | Deactivated
    | CloseTimeChanged
    | Determined
    | Settled
    | PriceGridChanged
    | MetadataChanged
)


def decode_lifecycle(body: Fields) -> LifecycleEvent | None:
    """
    The event that a message tells of, None if it is of a kind unknown here.

    Raises:
        DecodeError: of a known kind, without what we need of it.
    """
    ticker = body.ticker("market_ticker")
    match body.text("event_type"):
        case "created":
            return _created(ticker, body)
        case "activated":
            return Activated(ticker)
        case "deactivated":
            return Deactivated(ticker)
        case "close_date_updated":
            return CloseTimeChanged(ticker, body.readable(body.seconds, "close_ts"))
        case "determined":
            result = body.text_or_empty("result")
            return Determined(
                ticker,
                result=result,
                settlement_value=settlement_value(body, "settlement_value", result),
                at=body.readable(body.seconds, "determination_ts"),
            )
        case "settled":
            return Settled(ticker, at=body.readable(body.seconds, "settled_ts"))
        case "price_level_structure_updated":
            return PriceGridChanged(ticker, body.text_or_empty("price_level_structure"))
        case "metadata_updated":
            return MetadataChanged(ticker, body.readable(body.text, "yes_sub_title"))
        case _:
            return None


def settlement_value(fields: Fields, name: str, result: str) -> Decimal | None:
    """What one YES contract pays: as the field says, or by the result where that can't be read."""
    told = fields.readable(fields.dollars, name)
    # A contract pays from nothing to one dollar.
    return told if told is not None and 0 <= told <= 1 else VALUE_BY_RESULT.get(result)


def _created(ticker: str, body: Fields) -> Created:
    about = Fields(body.value("additional_metadata") or {}, "market metadata")
    return Created(
        ticker,
        event_ticker=about.readable(about.ticker, "event_ticker"),
        title=about.text_or_empty("title"),
        yes_outcome=about.text_or_empty("yes_sub_title"),
        no_outcome=about.text_or_empty("no_sub_title"),
        open_time=body.readable(body.seconds, "open_ts"),
        close_time=body.readable(body.seconds, "close_ts"),
    )
