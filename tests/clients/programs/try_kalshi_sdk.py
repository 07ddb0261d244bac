"""An unofficial client, strict about required fields, with REST and WebSocket."""

import asyncio
import json
from dataclasses import replace

from told import GIVEN, outcome, tell, trouble

from kalshi import AsyncKalshiClient, KalshiConfig
from kalshi.auth import KalshiAuth
from kalshi.ws.client import KalshiWebSocket

PERIOD = {"start_ts": GIVEN["start_ts"], "end_ts": GIVEN["end_ts"], "period_interval": 60}
LIVE, ARCHIVED = GIVEN["live"], GIVEN["archived"]
PATIENCE_SECONDS = 10
DEMANDING = ("markets.list", "markets.get", "historical.markets", "historical.market")


def calls(client):
    yield "api_keys.list", client.api_keys.list()
    yield "account.limits", client.account.limits()
    yield "account.endpoint_costs", client.account.endpoint_costs()
    yield "portfolio.balance", client.portfolio.balance()
    yield "subaccounts.list_balances", client.subaccounts.list_balances()
    yield "portfolio.positions", client.portfolio.positions(limit=1000)
    yield "portfolio.fills", client.portfolio.fills(limit=1000)
    yield "portfolio.settlements", client.portfolio.settlements()
    yield "portfolio.deposits", client.portfolio.deposits()
    yield "portfolio.withdrawals", client.portfolio.withdrawals()
    yield "subaccounts.list_transfers", client.subaccounts.list_transfers()
    yield "subaccounts.get_netting", client.subaccounts.get_netting()
    yield "portfolio.intra_exchange_transfers", client.portfolio.intra_exchange_transfers()
    yield "milestones.list", client.milestones.list(limit=100)
    yield "markets.orderbook", client.markets.orderbook(LIVE["market"], depth=5)
    yield (
        "markets.bulk_orderbooks",
        client.markets.bulk_orderbooks(tickers=[LIVE["market"], LIVE["other"]]),
    )
    yield "markets.list", client.markets.list(tickers=[LIVE["market"]])
    yield "markets.get", client.markets.get(LIVE["market"])
    yield "events.list", client.events.list()
    yield "events.list_multivariate", client.events.list_multivariate()
    yield "events.get", client.events.get(LIVE["event"])
    yield "series.get", client.series.get(LIVE["series"])
    yield (
        "markets.candlesticks",
        client.markets.candlesticks(LIVE["series"], LIVE["market"], **PERIOD),
    )
    yield (
        "markets.bulk_candlesticks",
        client.markets.bulk_candlesticks(market_tickers=[LIVE["market"]], **PERIOD),
    )
    yield (
        "series.event_candlesticks",
        client.series.event_candlesticks(LIVE["series"], LIVE["event"], **PERIOD),
    )
    yield "exchange.status", client.exchange.status()
    yield "exchange.schedule", client.exchange.schedule()
    yield "exchange.user_data_timestamp", client.exchange.user_data_timestamp()
    yield "historical.cutoff", client.historical.cutoff()
    yield "historical.fills", client.historical.fills()
    yield "historical.positions", client.historical.positions()
    yield "historical.markets", client.historical.markets()
    yield "historical.market", client.historical.market(ARCHIVED["market"])
    yield (
        "historical.candlesticks",
        client.historical.candlesticks(ARCHIVED["market"], **PERIOD),
    )


def with_liquidity(body):
    """
    The answer with the field that this package requires of a market.

    The exchange's documents have not had it since October 2026.
    """
    answer = json.loads(body)
    for market in [*answer.get("markets", ()), answer.get("market", {})]:
        market.setdefault("liquidity_dollars", "0.0000")
    return answer


async def attempt(name, call):
    try:
        tell(name, outcome(await call))
    except Exception as error:
        tell(name, trouble(error))


async def main():
    config = KalshiConfig(base_url=GIVEN["api_base"], ws_base_url=GIVEN["ws_url"], max_retries=0)
    auth = KalshiAuth.from_key_path(GIVEN["key_id"], GIVEN["key_file"])
    async with AsyncKalshiClient(auth=auth, config=config) as client:
        for name, call in calls(client):
            await attempt(name, call)
    lenient = replace(config, rest_json_loads=with_liquidity)
    async with AsyncKalshiClient(auth=auth, config=lenient) as client:
        for name, call in calls(client):
            if name in DEMANDING:
                await attempt(f"{name} with liquidity_dollars", call)
            else:
                call.close()
    async with KalshiWebSocket(auth, config).connect() as socket:
        streams = {
            "ticker": await socket.subscribe_ticker(tickers=[LIVE["market"]]),
            "fill": await socket.subscribe_fill(),
            "market_positions": await socket.subscribe_market_positions(),
            "market_lifecycle_v2": await socket.subscribe_market_lifecycle(),
        }
        for channel, stream in streams.items():
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    tell(channel, outcome([await anext(stream) for _ in range(3)]))
            except Exception as error:
                tell(channel, trouble(error))


asyncio.run(main())
