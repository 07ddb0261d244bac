"""
What the WebSocket's channels say, before it is addressed to a subscription.
"""

from dataclasses import dataclass, replace

from sandbox import wire
from sandbox.happenings import (
    EventListed,
    FeesChanged,
    Filled,
    Happening,
    LifecycleChanged,
    PaidOut,
    TickerChanged,
)
from sandbox.listing import Event, Market
from sandbox.wire import Json

LIFECYCLE = "market_lifecycle_v2"
# Of combos alone.
COMBO_LIFECYCLE = "multivariate_market_lifecycle"


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message for whoever subscribed to its channel.

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
        case PaidOut():
            return (_market_position_message(happening),)
        case LifecycleChanged():
            told = _lifecycle_message(happening)
            of_combos = replace(told, channel=COMBO_LIFECYCLE, type=COMBO_LIFECYCLE)
            return (told, of_combos) if happening.market.is_multivariate else (told,)
        case EventListed(event=event, exchange_index=exchange_index):
            told = _event_message(event, exchange_index)
            of_combos = replace(told, channel=COMBO_LIFECYCLE)
            return (told, of_combos) if event.is_multivariate else (told,)
        case FeesChanged(event=event):
            return (_fees_message(event),)


def ticker_message(listed: Market) -> Message:
    """The whole public state of a market."""
    tape, quote = listed.tape, listed.tape.quote
    at_ms = wire.milliseconds(tape.at)
    body = {
        "market_id": listed.market_id,
        "market_ticker": listed.ticker,
        "price_dollars": wire.price(tape.last_price),
        "yes_bid_dollars": wire.price(quote.yes_bid),
        "yes_ask_dollars": wire.price(quote.yes_ask),
        "volume_fp": wire.count(tape.volume),
        "open_interest_fp": wire.count(tape.open_interest),
        # Both sides of a contract together put in $1, so one contract is counted as half of that.
        "dollar_volume": int(tape.volume / 2),
        "dollar_open_interest": int(tape.open_interest / 2),
        "yes_bid_size_fp": wire.count(quote.yes_bid_size),
        "yes_ask_size_fp": wire.count(quote.yes_ask_size),
        "last_trade_size_fp": wire.count(tape.last_trade_size),
        "ts": at_ms // 1000,
        "ts_ms": at_ms,
        "time": wire.time(tape.at),
    }
    return Message("ticker", "ticker", listed.ticker, wire.encode(body))


def _fill_message(filled: Filled) -> Message:
    executed = filled.fill
    at_ms = wire.milliseconds(executed.at)
    body = {
        "trade_id": executed.trade_id,
        "order_id": executed.order_id,
        "market_ticker": executed.ticker,
        "exchange_index": filled.market.exchange_index,
        "is_taker": executed.is_taker,
        "side": executed.outcome_side,
        "yes_price_dollars": wire.price(executed.yes_price),
        "count_fp": wire.count(executed.count),
        "fee_cost": wire.money(executed.fee),
        "action": executed.action,
        "ts": at_ms // 1000,
        "ts_ms": at_ms,
        "post_position_fp": wire.count(executed.post_quantity),
        "purchased_side": executed.outcome_side,
        "outcome_side": executed.outcome_side,
        "book_side": executed.book_side,
        "subaccount": filled.subaccount,
    }
    return Message(
        "fill", "fill", executed.ticker, wire.encode(body), filled.user_id, filled.subaccount
    )


def _market_position_message(changed: Filled | PaidOut) -> Message:
    position = changed.position
    body = {
        "user_id": changed.user_id,
        "market_ticker": position.ticker,
        "position_fp": wire.count(position.quantity),
        "position_cost_dollars": wire.money(position.exposure),
        "realized_pnl_dollars": wire.money(position.realized_pnl),
        "fees_paid_dollars": wire.money(position.fees_paid),
        "position_fee_cost_dollars": wire.money(position.open_fees),
        "volume_fp": wire.count(position.volume),
        "subaccount": changed.subaccount,
    }
    return Message(
        "market_positions",
        "market_position",
        position.ticker,
        wire.encode(body),
        changed.user_id,
        changed.subaccount,
    )


def _lifecycle_message(changed: LifecycleChanged) -> Message:
    listed = changed.market
    at = wire.seconds(changed.at)
    facts: Json
    match changed.type:
        case "created":
            facts = {
                "exchange_index": listed.exchange_index,
                "open_ts": wire.seconds(listed.open_time),
                "close_ts": wire.seconds(listed.close_time),
                "price_level_structure": listed.grid.structure,
                "additional_metadata": _metadata(listed),
            }
        case "activated" | "deactivated":
            facts = {"is_deactivated": changed.type == "deactivated"}
        case "close_date_updated":
            facts = {"close_ts": wire.seconds(listed.close_time)}
        case "determined":
            assert listed.settlement_value is not None  # noqa: S101  # a determined one has it
            facts = {
                "determination_ts": at,
                "result": listed.result,
                "settlement_value": wire.price(listed.settlement_value),
            }
        case "settled":
            facts = {"settled_ts": at}
    body = {"market_ticker": listed.ticker, "event_type": changed.type, **facts}
    return Message(LIFECYCLE, LIFECYCLE, listed.ticker, wire.encode(body))


def _metadata(listed: Market) -> Json:
    return {
        "name": listed.yes_sub_title,
        "title": listed.title,
        "yes_sub_title": listed.yes_sub_title,
        "no_sub_title": listed.no_sub_title,
        "rules_primary": listed.rules,
        "rules_secondary": "",
        "can_close_early": True,
        "event_ticker": listed.event_ticker,
        "expected_expiration_ts": wire.seconds(listed.close_time),
    }


def _event_message(event: Event, exchange_index: int) -> Message:
    body = {
        "event_ticker": event.ticker,
        "exchange_index": exchange_index,
        "title": event.title,
        "subtitle": event.sub_title,
        "collateral_return_type": event.collateral_return_type,
        "series_ticker": event.series_ticker,
    }
    return Message(LIFECYCLE, "event_lifecycle", "", wire.encode(body))


def _fees_message(event: Event) -> Message:
    fee_type, multiplier = event.fee_override or (None, None)
    body = {
        "event_ticker": event.ticker,
        "fee_type_override": fee_type,
        "fee_multiplier_override": None if multiplier is None else float(multiplier),
    }
    return Message(LIFECYCLE, "event_fee_update", "", wire.encode(body))
