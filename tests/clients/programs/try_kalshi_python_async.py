"""The official client: strict about every required field; REST only."""

import asyncio
from pathlib import Path

from kalshi_python_async import Configuration, KalshiClient
from told import GIVEN, outcome, tell, trouble

PERIOD = {"start_ts": GIVEN["start_ts"], "end_ts": GIVEN["end_ts"], "period_interval": 60}
KEY = Path(GIVEN["key_file"]).read_text()
LIVE, ARCHIVED = GIVEN["live"], GIVEN["archived"]

CALLS = {
    "get_api_keys": ({}, "api_keys"),
    "get_account_api_limits": ({}, None),
    "get_account_endpoint_costs": ({}, None),
    "get_balance": ({}, None),
    "get_subaccount_balances": ({}, "subaccount_balances"),
    "get_positions": ({"limit": 1000, "settlement_status": "all"}, "market_positions"),
    "get_fills": ({"limit": 1000}, "fills"),
    "get_settlements": ({}, "settlements"),
    "get_deposits": ({}, "deposits"),
    "get_withdrawals": ({}, "withdrawals"),
    "get_subaccount_transfers": ({}, "transfers"),
    "get_subaccount_netting": ({}, "netting_configs"),
    "get_intra_exchange_instance_transfers": ({}, "transfers"),
    "get_milestones": ({"limit": 100}, "milestones"),
    "get_market_orderbook": ({"ticker": LIVE["market"], "depth": 5}, None),
    "get_market_orderbooks": ({"tickers": [LIVE["market"], LIVE["other"]]}, "orderbooks"),
    "get_markets": ({"tickers": LIVE["market"]}, "markets"),
    "get_market": ({"ticker": LIVE["market"]}, None),
    "get_events": ({"with_nested_markets": True}, "events"),
    "get_multivariate_events": ({"with_nested_markets": True}, "events"),
    "get_event": ({"event_ticker": LIVE["event"]}, None),
    "get_series": ({"series_ticker": LIVE["series"], "include_volume": True}, None),
    "get_market_candlesticks": (
        {"series_ticker": LIVE["series"], "ticker": LIVE["market"], **PERIOD},
        "candlesticks",
    ),
    "batch_get_market_candlesticks": ({"market_tickers": LIVE["market"], **PERIOD}, "markets"),
    "get_market_candlesticks_by_event": (
        {"series_ticker": LIVE["series"], "ticker": LIVE["event"], **PERIOD},
        "market_candlesticks",
    ),
    "get_exchange_status": ({}, None),
    "get_exchange_schedule": ({}, None),
    "get_user_data_timestamp": ({}, None),
    "get_historical_cutoff": ({}, None),
    "get_fills_historical": ({}, "fills"),
    "get_historical_positions": ({}, "market_positions"),
    "get_historical_markets": ({}, "markets"),
    "get_historical_market": ({"ticker": ARCHIVED["market"]}, None),
    "get_market_candlesticks_historical": (
        {"ticker": ARCHIVED["market"], **PERIOD},
        "candlesticks",
    ),
}


async def main():
    configuration = Configuration(host=GIVEN["api_base"])
    configuration.api_key_id = GIVEN["key_id"]
    configuration.private_key_pem = KEY
    async with KalshiClient(configuration) as client:
        for name, (arguments, rows) in CALLS.items():
            try:
                answer = await getattr(client, name)(**arguments)
                tell(name, outcome(getattr(answer, rows) if rows else answer))
            except Exception as error:
                tell(name, trouble(error))


asyncio.run(main())
