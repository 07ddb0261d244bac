"""
Markets, events and fills in the shapes of the exchange's documents.
"""

from sandbox import wire
from sandbox.account import Fill
from sandbox.exchange import Exchange
from sandbox.grid import ONE
from sandbox.listing import Event, Market, Series
from sandbox.wire import Json


def fill(executed: Fill, market: Market, subaccount: int) -> Json:
    return {
        "fill_id": executed.trade_id,
        "trade_id": executed.trade_id,
        "order_id": executed.order_id,
        "exchange_index": market.exchange_index,
        "ticker": executed.ticker,
        "market_ticker": executed.ticker,
        "side": executed.outcome_side,
        "action": executed.action,
        "outcome_side": executed.outcome_side,
        "book_side": executed.book_side,
        "count_fp": wire.count(executed.count),
        "yes_price_dollars": wire.price(executed.yes_price),
        "no_price_dollars": wire.price(ONE - executed.yes_price),
        "is_taker": executed.is_taker,
        "fee_cost": wire.money(executed.fee),
        "created_time": wire.time(executed.at),
        "subaccount_number": subaccount,
        "ts": wire.seconds(executed.at),
    }


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
        "created_time": wire.time(listed.created_at),
        "updated_time": wire.time(listed.updated_at),
        "open_time": wire.time(listed.open_time),
        "close_time": wire.time(listed.close_time),
        "expected_expiration_time": wire.time(listed.close_time),
        "latest_expiration_time": wire.time(listed.close_time),
        "settlement_timer_seconds": int(listed.settlement_timer.total_seconds()),
        "status": listed.status,
        "result": listed.result,
        "can_close_early": True,
        "expiration_value": "",
        "notional_value_dollars": wire.price(ONE),
        "yes_bid_dollars": wire.price(quote.yes_bid),
        "yes_bid_size_fp": wire.count(quote.yes_bid_size),
        "yes_ask_dollars": wire.price(quote.yes_ask),
        "yes_ask_size_fp": wire.count(quote.yes_ask_size),
        "no_bid_dollars": wire.price(ONE - quote.yes_ask),
        "no_ask_dollars": wire.price(ONE - quote.yes_bid),
        "last_price_dollars": wire.price(tape.last_price),
        "previous_yes_bid_dollars": wire.price(before.quote.yes_bid),
        "previous_yes_ask_dollars": wire.price(before.quote.yes_ask),
        "previous_price_dollars": wire.price(before.last_price),
        "volume_fp": wire.count(tape.volume),
        "volume_24h_fp": wire.count(tape.volume - before.volume),
        "open_interest_fp": wire.count(tape.open_interest),
        "rules_primary": listed.rules,
        "rules_secondary": "",
        "settlement_bounds_type": "default",
        "price_level_structure": listed.grid.structure,
        "price_ranges": [
            {
                "start": wire.price(band.start),
                "end": wire.price(band.end),
                "step": wire.price(band.step),
            }
            for band in listed.grid.ranges
        ],
    }
    if listed.settlement_value is not None:
        shape["settlement_value_dollars"] = wire.price(listed.settlement_value)
    if listed.settled_at is not None:
        shape["settlement_ts"] = wire.time(listed.settled_at)
    return shape


def event(occurrence: Event, exchange: Exchange) -> Json:
    of = exchange.series[occurrence.series_ticker]
    name, url = of.settlement_source
    shape: Json = {
        "event_ticker": occurrence.ticker,
        "series_ticker": occurrence.series_ticker,
        "exchange_index": of.exchange_index,
        "title": occurrence.title,
        "sub_title": occurrence.sub_title,
        "category": of.category,
        "mutually_exclusive": occurrence.mutually_exclusive,
        "collateral_return_type": occurrence.collateral_return_type,
        "settlement_sources": [{"name": name, "url": url}],
        "last_updated_ts": wire.time(occurrence.created_at),
    }
    if occurrence.fee_override is not None:
        fee_type, multiplier = occurrence.fee_override
        shape["fee_type_override"] = fee_type
        shape["fee_multiplier_override"] = float(multiplier)
    return shape


def series(listed: Series) -> Json:
    name, url = listed.settlement_source
    address = f"https://sandbox.invalid/{listed.ticker.lower()}"
    return {
        "ticker": listed.ticker,
        "frequency": "custom",
        "title": listed.title,
        "category": listed.category,
        "categories": [listed.category],
        "tags": [],
        "settlement_sources": [{"name": name, "url": url}],
        "contract_url": f"{address}.pdf",
        "contract_terms_url": f"{address}-terms.pdf",
        "fee_type": listed.fee_type,
        "fee_multiplier": float(listed.fee_multiplier),
        "additional_prohibitions": [],
        "exchange_index": listed.exchange_index,
    }
