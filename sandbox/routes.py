"""
Which call of REST is answered by what.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.account import ApiKey
from sandbox.exchange import Exchange
from sandbox.limits import Tier
from sandbox.rest import (
    activity,
    candlesticks,
    markets,
    members,
    milestones,
    moved_money,
    orderbooks,
    portfolio,
    venue,
)
from sandbox.rest.query import Parameters
from sandbox.wire import Json

Subject = Literal["account", "markets"]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One GET, once its signature is checked.

    Args:
        path: the parts of the path that stand for something, by name.
        account_as_of: the moment that the member's data is of, in the markets' time.
    """

    exchange: Exchange
    tier: Tier
    account_as_of: datetime
    path: Mapping[str, str]
    query: Parameters


SIGNED: dict[str, Callable[[Call, ApiKey], Json]] = {
    "/api_keys": lambda call, key: members.api_keys(call.exchange, key),
    "/account/limits": lambda call, key: members.account_limits(key, call.tier),
    "/portfolio/balance": lambda call, key: portfolio.balance(call.exchange, key, call.query),
    "/portfolio/subaccounts/balances": lambda call, key: portfolio.subaccount_balances(
        call.exchange, key
    ),
    "/portfolio/positions": lambda call, key: portfolio.positions(call.exchange, key, call.query),
    "/portfolio/fills": lambda call, key: activity.fills(call.exchange, key, call.query),
    "/portfolio/settlements": lambda call, key: activity.settlements(
        call.exchange, key, call.query
    ),
    "/portfolio/deposits": lambda call, key: moved_money.deposits(call.exchange, key, call.query),
    "/portfolio/withdrawals": lambda call, key: moved_money.withdrawals(
        call.exchange, key, call.query
    ),
    "/portfolio/subaccounts/transfers": lambda call, key: moved_money.subaccount_transfers(
        call.exchange, key, call.query
    ),
    "/portfolio/intra_exchange_instance_transfers": (
        lambda call, key: moved_money.instance_transfers(call.exchange, key, call.query)
    ),
    "/portfolio/subaccounts/netting": lambda call, key: portfolio.netting(call.exchange, key),
    "/historical/fills": lambda call, key: activity.historical_fills(
        call.exchange, key, call.query
    ),
    "/historical/positions": lambda call, key: portfolio.historical_positions(
        call.exchange, key, call.query
    ),
}

# Calls that may lag behind what happens, and what they are about.
SUBJECTS: dict[str, Subject] = {
    "/portfolio/balance": "account",
    "/portfolio/subaccounts/balances": "account",
    "/portfolio/positions": "account",
    "/portfolio/fills": "account",
    "/portfolio/settlements": "account",
    "/markets": "markets",
    "/markets/{ticker}": "markets",
    "/markets/{ticker}/orderbook": "markets",
    "/markets/orderbooks": "markets",
    "/events": "markets",
    "/events/multivariate": "markets",
    "/events/{event_ticker}": "markets",
}

# Tried in this order: a fixed path stands before the one that any name fits.
PUBLIC: dict[str, Callable[[Call], Json]] = {
    "/account/endpoint_costs": lambda call: venue.endpoint_costs(),
    "/exchange/schedule": lambda call: venue.schedule(),
    "/exchange/user_data_timestamp": lambda call: venue.user_data_timestamp(call.account_as_of),
    "/historical/cutoff": lambda call: venue.historical_cutoff(call.exchange),
    "/historical/markets": lambda call: markets.historical_markets(call.exchange, call.query),
    "/historical/markets/{ticker}": lambda call: markets.historical_market(
        call.exchange, call.path["ticker"]
    ),
    "/historical/markets/{ticker}/candlesticks": lambda call: candlesticks.of_historical_market(
        call.exchange, call.path["ticker"], call.query
    ),
    "/markets": lambda call: markets.markets(call.exchange, call.query),
    "/markets/candlesticks": lambda call: candlesticks.of_markets(call.exchange, call.query),
    "/markets/orderbooks": lambda call: orderbooks.of_markets(
        call.exchange, call.query.repeated("tickers")
    ),
    "/markets/{ticker}/orderbook": lambda call: orderbooks.of_market(
        call.exchange, call.path["ticker"], call.query
    ),
    "/milestones": lambda call: milestones.milestones(call.exchange, call.query),
    "/markets/{ticker}": lambda call: markets.market(call.exchange, call.path["ticker"]),
    "/events": lambda call: markets.events(call.exchange, call.query),
    "/events/multivariate": lambda call: markets.multivariate_events(call.exchange, call.query),
    "/events/{event_ticker}": lambda call: markets.event(
        call.exchange, call.path["event_ticker"], call.query
    ),
    "/series/{series_ticker}": lambda call: markets.series(
        call.exchange, call.path["series_ticker"], call.query
    ),
    "/series/{series_ticker}/markets/{ticker}/candlesticks": lambda call: candlesticks.of_market(
        call.exchange, call.path["series_ticker"], call.path["ticker"], call.query
    ),
    "/series/{series_ticker}/events/{ticker}/candlesticks": lambda call: candlesticks.of_event(
        call.exchange, call.path["series_ticker"], call.path["ticker"], call.query
    ),
}
