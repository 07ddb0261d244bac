"""
What happened in the markets, as REST answers it: fills, settlements, prices over time.

Each decoder takes one parsed JSON object and raises DecodeError as those of `resources` do.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Self

from kalshi.fields import Fields
from kalshi.lifecycle import VALUE_BY_RESULT
from kalshi.messages import Fill, decode_outcome_side

# The lengths that candles come in.
Minutes = Literal[1, 60, 1440]


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    The payout of one market, in dollars and contracts.

    Who has bought both sides held only the rest at the end: each pair was paid a dollar by the
    trade that closed it. Its row may tell all that was bought, of both.

    Args:
        result: "yes", "no" or "scalar".
        yes_count, no_count: contracts, and yes_cost, no_cost what they had cost, without fees: of
            those that were held at the end, or of all that were bought.
        revenue: what was paid; `payout` says for which.
        yes_value: what one YES contract paid; where the exchange does not tell, what follows from
            the result, None for a scalar.
        fee_cost: all fees of the position over its life.
    """

    ticker: str
    event_ticker: str | None
    result: str
    yes_count: Decimal
    yes_cost: Decimal
    no_count: Decimal
    no_cost: Decimal
    revenue: Decimal
    yes_value: Decimal | None
    fee_cost: Decimal
    settled_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "settlement")
        result = fields.text("market_result")
        told = fields.readable(fields.cents, "value")
        return cls(
            ticker=fields.ticker("ticker"),
            event_ticker=fields.readable(fields.ticker, "event_ticker"),
            result=result,
            yes_count=fields.contracts("yes_count_fp"),
            yes_cost=fields.dollars("yes_total_cost_dollars"),
            no_count=fields.contracts("no_count_fp"),
            no_cost=fields.dollars("no_total_cost_dollars"),
            revenue=fields.cents("revenue"),
            yes_value=VALUE_BY_RESULT.get(result) if told is None else told,
            fee_cost=fields.dollars("fee_cost"),
            settled_at=fields.time("settled_time"),
        )

    @property
    def quantity(self) -> Decimal:
        """Signed contracts that were held at the end."""
        return self.yes_count - self.no_count

    @property
    def expected(self) -> Decimal | None:
        """What those pay by the value, but for parts of a cent; None where that is not told."""
        if self.yes_value is None:
            return None
        return self.quantity * (self.yes_value if self.quantity > 0 else self.yes_value - 1)

    @property
    def payout(self) -> Decimal:
        """What those paid: the revenue, without pairs that are told in it once more."""
        told = self.revenue, self.revenue - min(self.yes_count, self.no_count)
        # No contract pays more than a dollar.
        possible = [each for each in told if 0 <= each <= abs(self.quantity)] or [self.revenue]
        expected = self.expected
        if expected is None:
            return possible[0]
        # The value is told in whole cents, and what is paid is rounded.
        return min(possible, key=lambda each: abs(each - expected))


@dataclass(frozen=True, slots=True)
class Cutoff:
    """
    What is older than these times is in the archive, behind endpoints of its own.

    Args:
        market_settled_at: of markets and their candlesticks, by settlement.
        trades_created_at: of fills.
        orders_updated_at: of orders that rest no more.
        positions_updated_at: of settled positions; older ones may still be among the live.
    """

    market_settled_at: datetime
    trades_created_at: datetime
    orders_updated_at: datetime
    positions_updated_at: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "cutoff")
        return cls(
            market_settled_at=fields.time("market_settled_ts"),
            trades_created_at=fields.time("trades_created_ts"),
            orders_updated_at=fields.time("orders_updated_ts"),
            positions_updated_at=fields.readable(fields.time, "market_positions_last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Range:
    """Where a price began, went and ended, in dollars per YES contract."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    @classmethod
    def decode(cls, value: object, what: str, unit: str = "_dollars") -> Self:
        fields = Fields(value, what)
        return cls(
            open=fields.dollars(f"open{unit}"),
            high=fields.dollars(f"high{unit}"),
            low=fields.dollars(f"low{unit}"),
            close=fields.dollars(f"close{unit}"),
        )


@dataclass(frozen=True, slots=True)
class Candle:
    """
    One market over one period.

    Quotes are as on the wire: 0 and 1 may stand for a side where nobody was.

    Args:
        ends_at: the period's last instant.
        price: of trades; None if there was none.
        previous_price: of the last trade before, if there ever was one.
        volume, open_interest: contracts.
    """

    ends_at: datetime
    yes_bid: Range
    yes_ask: Range
    price: Range | None
    previous_price: Decimal | None
    volume: Decimal
    open_interest: Decimal

    @classmethod
    def decode(cls, value: object) -> Self:
        return cls._decode(value, "_dollars", "_fp")

    @classmethod
    def decode_archived(cls, value: object) -> Self:
        """The archive names the same strings without their units."""
        return cls._decode(value, "", "")

    @classmethod
    def _decode(cls, value: object, dollars: str, contracts: str) -> Self:
        fields = Fields(value, "candlestick")
        price = Fields(fields.value("price"), "candlestick price")
        return cls(
            ends_at=fields.seconds("end_period_ts"),
            yes_bid=Range.decode(fields.value("yes_bid"), "candlestick bid", dollars),
            yes_ask=Range.decode(fields.value("yes_ask"), "candlestick ask", dollars),
            price=(
                Range.decode(fields.value("price"), "candlestick price", dollars)
                if price.has(f"close{dollars}")
                else None
            ),
            previous_price=price.optional(price.dollars, f"previous{dollars}"),
            volume=fields.contracts(f"volume{contracts}"),
            open_interest=fields.contracts(f"open_interest{contracts}"),
        )


def decode_fill(value: object) -> Fill:
    """One row of the fills, as the value that the WebSocket's message is too."""
    fields = Fields(value, "fill")
    return Fill(
        trade_id=fields.identifier("trade_id"),
        order_id=fields.readable(fields.identifier, "order_id") or "",
        market_ticker=fields.ticker("ticker"),
        outcome_side=decode_outcome_side(fields),
        count=fields.contracts("count_fp"),
        yes_price=fields.dollars("yes_price_dollars"),
        fee_cost=fields.dollars("fee_cost"),
        is_taker=fields.readable(fields.flag, "is_taker"),
        post_quantity=None,
        subaccount=fields.optional(fields.subaccount, "subaccount_number"),
        at=fields.time("created_time") if fields.has("created_time") else fields.seconds("ts"),
    )
