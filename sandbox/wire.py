"""
Values in the shapes of the exchange's documents.

Money, prices and counts are strings with a fixed number of decimals. Writing them never rounds: a
value that needs more decimals than its field has is a bug and raises `decimal.Inexact`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from typing import Any

from sandbox.account import ApiKey, Fill, Portfolio, Position, price_of
from sandbox.exchange import Determined, Event, Exchange, Filled, Happening, Market, TickerChanged
from sandbox.market import ONE, ZERO

# What a JSON object is made of; its values are whatever JSON can hold.
Json = dict[str, Any]

_EXACT = Context(prec=40, traps=[Inexact])
_CENTI = Decimal("0.01")
_TEN_THOUSANDTH = Decimal("0.0001")
_MILLIONTH = Decimal("0.000001")


def price(dollars: Decimal) -> str:
    """Dollars with four decimals, as prices and balances are written."""
    return f"{dollars.quantize(_TEN_THOUSANDTH, context=_EXACT):f}"


def money(dollars: Decimal) -> str:
    """Dollars with six decimals, as costs, fees and P&L are written."""
    return f"{dollars.quantize(_MILLIONTH, context=_EXACT):f}"


def count(contracts: Decimal) -> str:
    """Contracts with two decimals."""
    return f"{contracts.quantize(_CENTI, context=_EXACT):f}"


def time(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def encode(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# REST


def api_key(key: ApiKey) -> Json:
    shape: Json = {"api_key_id": key.api_key_id, "name": key.name, "scopes": list(key.scopes)}
    if key.subaccount is not None:
        shape["subaccount"] = key.subaccount
    return shape


def balance(
    portfolio: Portfolio,
    markets: Iterable[Market],
    *,
    exchange_index: int | None,
    with_breakdown: bool,
) -> Json:
    """
    Cash and the value of the open positions, both for all shards or for one.

    All cash is kept on shard 0.
    """
    cash = portfolio.cash if exchange_index in (None, 0) else ZERO
    value = ZERO
    for market in markets:
        if exchange_index in (None, market.exchange_index):
            value += _value(portfolio.positions[market.ticker], market)
    shape: Json = {
        "balance": int(cash * 100),
        "balance_dollars": price(cash),
        "portfolio_value": int(value * 100),
        "updated_ts": int(portfolio.updated_at.timestamp()),
    }
    if with_breakdown:
        shape["balance_breakdown"] = [{"exchange_index": 0, "balance": price(portfolio.cash)}]
    return shape


def _value(position: Position, market: Market) -> Decimal:
    # Undocumented; the one recording agrees with the last trade, and with cost where there was
    # none.
    yes_value = market.yes_value
    if yes_value is None:
        return position.exposure
    held = price_of("yes" if position.quantity > 0 else "no", yes_value)
    return abs(position.quantity) * held


def market_position(position: Position, market: Market) -> Json:
    assert position.updated_at is not None  # noqa: S101  # only an unheld one has no time
    return {
        "ticker": position.ticker,
        "exchange_index": market.exchange_index,
        "total_traded_dollars": money(position.total_traded),
        "position_fp": count(position.quantity),
        "market_exposure_dollars": money(position.exposure),
        "realized_pnl_dollars": money(position.realized_pnl),
        "fees_paid_dollars": money(position.fees_paid),
        "last_updated_ts": time(position.updated_at),
    }


def event_position(event_ticker: str, positions: Iterable[Position]) -> Json:
    """The sums of the positions in one event."""
    rows = list(positions)
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": money(sum((row.total_traded for row in rows), ZERO)),
        "total_cost_shares_fp": count(sum((row.volume for row in rows), ZERO)),
        "event_exposure_dollars": money(sum((row.exposure for row in rows), ZERO)),
        "realized_pnl_dollars": money(sum((row.realized_pnl for row in rows), ZERO)),
        "fees_paid_dollars": money(sum((row.fees_paid for row in rows), ZERO)),
    }


def fill(executed: Fill, market: Market, subaccount: int) -> Json:
    return {
        "fill_id": executed.trade_id,
        "trade_id": executed.trade_id,
        "order_id": executed.order_id,
        "exchange_index": market.exchange_index,
        "ticker": executed.ticker,
        "market_ticker": executed.ticker,
        "side": executed.outcome_side,
        "action": "sell" if executed.is_closing else "buy",
        "outcome_side": executed.outcome_side,
        "book_side": _book_side(executed),
        "count_fp": count(executed.count),
        "yes_price_dollars": price(executed.yes_price),
        "no_price_dollars": price(ONE - executed.yes_price),
        "is_taker": executed.is_taker,
        "fee_cost": money(executed.fee),
        "created_time": time(executed.at),
        "subaccount_number": subaccount,
        "ts": int(executed.at.timestamp()),
    }


def _book_side(executed: Fill) -> str:
    return "bid" if executed.outcome_side == "yes" else "ask"


def market(listed: Market) -> Json:
    tape, quote, before = listed.tape, listed.tape.quote, listed.previous
    shape: Json = {
        "ticker": listed.ticker,
        "event_ticker": listed.event_ticker,
        "exchange_index": listed.exchange_index,
        "market_type": "binary",
        "title": listed.title,
        "yes_sub_title": listed.yes_sub_title,
        "no_sub_title": listed.no_sub_title,
        "created_time": time(listed.created_at),
        "updated_time": time(listed.updated_at),
        "open_time": time(listed.created_at),
        "close_time": time(listed.close_time),
        "expected_expiration_time": time(listed.close_time),
        "latest_expiration_time": time(listed.close_time),
        "settlement_timer_seconds": 300,
        "status": listed.status,
        "result": listed.result,
        "can_close_early": True,
        "expiration_value": "",
        "notional_value_dollars": price(ONE),
        "yes_bid_dollars": price(quote.yes_bid),
        "yes_bid_size_fp": count(quote.yes_bid_size),
        "yes_ask_dollars": price(quote.yes_ask),
        "yes_ask_size_fp": count(quote.yes_ask_size),
        "no_bid_dollars": price(ONE - quote.yes_ask),
        "no_ask_dollars": price(ONE - quote.yes_bid),
        "last_price_dollars": price(tape.last_price),
        "previous_yes_bid_dollars": price(before.quote.yes_bid),
        "previous_yes_ask_dollars": price(before.quote.yes_ask),
        "previous_price_dollars": price(before.last_price),
        "volume_fp": count(tape.volume),
        "volume_24h_fp": count(tape.volume - before.volume),
        "open_interest_fp": count(tape.open_interest),
        "rules_primary": listed.rules,
        "rules_secondary": "",
        "settlement_bounds_type": "default",
        "price_level_structure": listed.grid.structure,
        "price_ranges": [
            {"start": price(band.start), "end": price(band.end), "step": price(band.step)}
            for band in listed.grid.ranges
        ],
    }
    if listed.settlement_value is not None:
        shape["settlement_value_dollars"] = price(listed.settlement_value)
    return shape


def event(occurrence: Event, exchange: Exchange) -> Json:
    series = exchange.series[occurrence.series_ticker]
    name, url = series.settlement_source
    return {
        "event_ticker": occurrence.ticker,
        "series_ticker": occurrence.series_ticker,
        "exchange_index": series.exchange_index,
        "title": occurrence.title,
        "sub_title": occurrence.sub_title,
        "category": series.category,
        "mutually_exclusive": occurrence.mutually_exclusive,
        "collateral_return_type": "MECNET" if occurrence.mutually_exclusive else "",
        "settlement_sources": [{"name": name, "url": url}],
        "last_updated_ts": time(occurrence.created_at),
    }


def exchange_status(exchange: Exchange) -> Json:
    shape: Json = {
        "exchange_active": exchange.exchange_active,
        "trading_active": exchange.exchange_active,
    }
    if exchange.resume_time is not None:
        shape["exchange_estimated_resume_time"] = time(exchange.resume_time)
    return shape


# WebSocket


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message before it is addressed to a subscription.

    The body is encoded once, however many subscriptions get it.

    Args:
        channel: the subscription that carries it; `type` is the name in its envelope.
        body: the JSON text of `msg`.
        user_id, subaccount: whose it is; None when it is everybody's.
    """

    channel: str
    type: str
    market_ticker: str
    body: str
    user_id: str | None = None
    subaccount: int | None = None


def messages(happening: Happening) -> tuple[Message, ...]:
    """What the channels say about something that happened."""
    match happening:
        case TickerChanged(market=changed):
            return (ticker_message(changed),)
        case Filled():
            return (_fill_message(happening), _market_position_message(happening))
        case Determined():
            return (_determined_message(happening),)


def ticker_message(listed: Market) -> Message:
    """The whole public state of a market."""
    tape, quote = listed.tape, listed.tape.quote
    at_ms = _milliseconds(tape.at)
    body = {
        "market_id": listed.market_id,
        "market_ticker": listed.ticker,
        "price_dollars": price(tape.last_price),
        "yes_bid_dollars": price(quote.yes_bid),
        "yes_ask_dollars": price(quote.yes_ask),
        "volume_fp": count(tape.volume),
        "open_interest_fp": count(tape.open_interest),
        # Both sides of a contract together put in $1, so one contract is counted as half of that.
        "dollar_volume": int(tape.volume / 2),
        "dollar_open_interest": int(tape.open_interest / 2),
        "yes_bid_size_fp": count(quote.yes_bid_size),
        "yes_ask_size_fp": count(quote.yes_ask_size),
        "last_trade_size_fp": count(tape.last_trade_size),
        "ts": at_ms // 1000,
        "ts_ms": at_ms,
        "time": time(tape.at),
    }
    return Message("ticker", "ticker", listed.ticker, encode(body))


def _fill_message(filled: Filled) -> Message:
    executed = filled.fill
    at_ms = _milliseconds(executed.at)
    body = {
        "trade_id": executed.trade_id,
        "order_id": executed.order_id,
        "market_ticker": executed.ticker,
        "exchange_index": filled.market.exchange_index,
        "is_taker": executed.is_taker,
        "side": executed.outcome_side,
        "yes_price_dollars": price(executed.yes_price),
        "count_fp": count(executed.count),
        "fee_cost": money(executed.fee),
        "action": "sell" if executed.is_closing else "buy",
        "ts": at_ms // 1000,
        "ts_ms": at_ms,
        "post_position_fp": count(executed.post_quantity),
        "purchased_side": executed.outcome_side,
        "outcome_side": executed.outcome_side,
        "book_side": _book_side(executed),
        "subaccount": filled.subaccount,
    }
    return Message("fill", "fill", executed.ticker, encode(body), filled.user_id, filled.subaccount)


def _market_position_message(filled: Filled) -> Message:
    position = filled.position
    body = {
        "user_id": filled.user_id,
        "market_ticker": position.ticker,
        "position_fp": count(position.quantity),
        "position_cost_dollars": money(position.exposure),
        "realized_pnl_dollars": money(position.realized_pnl),
        "fees_paid_dollars": money(position.fees_paid),
        "position_fee_cost_dollars": money(position.open_fees),
        "volume_fp": count(position.volume),
        "subaccount": filled.subaccount,
    }
    return Message(
        "market_positions",
        "market_position",
        position.ticker,
        encode(body),
        filled.user_id,
        filled.subaccount,
    )


def _determined_message(determined: Determined) -> Message:
    listed = determined.market
    assert listed.settlement_value is not None  # noqa: S101  # a determined market has one
    body = {
        "market_ticker": listed.ticker,
        "event_type": "determined",
        "determination_ts": int(determined.at.timestamp()),
        "result": listed.result,
        "settlement_value": price(listed.settlement_value),
    }
    return Message("market_lifecycle_v2", "market_lifecycle_v2", listed.ticker, encode(body))
