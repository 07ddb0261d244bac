"""
What the exchange says of itself: whether it is open, when, and how fresh its data is.
"""

from datetime import datetime

from sandbox import wire
from sandbox.exchange import Exchange
from sandbox.limits import DEFAULT_COST
from sandbox.wire import Json

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ALL_DAY = [{"open_time": "00:00", "close_time": "00:00"}]
_THURSDAY = [
    {"open_time": "00:00", "close_time": "03:00"},
    {"open_time": "05:00", "close_time": "00:00"},
]
_SHARDS = ("default", "combos", "crypto", "tennis and baseball")


def status(exchange: Exchange) -> Json:
    """GET /exchange/status."""
    states = {
        "exchange_active": exchange.exchange_active,
        "trading_active": exchange.exchange_active and exchange.trading_active,
        "intra_exchange_transfers_active": exchange.exchange_active,
    }
    shape: Json = {
        **states,
        "exchange_index_statuses": [
            {"exchange_index": index, "description": description, **states}
            for index, description in enumerate(_SHARDS)
        ],
    }
    if exchange.resume_time is not None:
        shape["exchange_estimated_resume_time"] = wire.time(exchange.resume_time)
    return shape


def schedule() -> Json:
    """GET /exchange/schedule: open all week but for two hours on Thursdays, Eastern time."""
    week = {day: _THURSDAY if day == "thursday" else _ALL_DAY for day in _DAYS}
    hours = {"start_time": "2024-12-01T00:00:00Z", "end_time": "2200-12-01T00:00:00Z", **week}
    return {"schedule": {"standard_hours": [hours], "maintenance_windows": []}}


def user_data_timestamp(as_of: datetime) -> Json:
    """GET /exchange/user_data_timestamp: since when the member's data may be out of date."""
    return {"as_of_time": wire.time(as_of)}


def historical_cutoff(exchange: Exchange) -> Json:
    """GET /historical/cutoff: one moment for all kinds."""
    before = wire.time(exchange.history_before)
    return {
        "market_settled_ts": before,
        "trades_created_ts": before,
        "orders_updated_ts": before,
        "market_positions_last_updated_ts": before,
    }


def endpoint_costs() -> Json:
    """GET /account/endpoint_costs: no call that is answered here has a price of its own."""
    return {"default_cost": DEFAULT_COST, "endpoint_costs": []}
