"""An unofficial client, lenient about missing fields, with REST and WebSocket."""

import threading

from pykalshi import KalshiClient
from told import GIVEN, outcome, tell, trouble

LIVE, ARCHIVED = GIVEN["live"], GIVEN["archived"]
START, END = GIVEN["start_ts"], GIVEN["end_ts"]
CHANNELS = ("ticker", "fill", "market_positions", "market_lifecycle_v2")
PATIENCE_SECONDS = 10


def calls(client):
    yield "api_keys.list", lambda: client.api_keys.list()
    yield "api_keys.get_limits", lambda: client.api_keys.get_limits()
    yield "portfolio.get_balance", lambda: client.portfolio.get_balance()
    yield (
        "portfolio.get_subaccount_balances",
        lambda: client.portfolio.get_subaccount_balances(),
    )
    yield "portfolio.get_positions", lambda: client.portfolio.get_positions(fetch_all=True)
    yield "portfolio.get_fills", lambda: client.portfolio.get_fills(limit=20, fetch_all=True)
    yield "portfolio.get_settlements", lambda: client.portfolio.get_settlements()
    yield "get_markets", lambda: client.get_markets(tickers=[LIVE["market"]])
    yield "get_market", lambda: client.get_market(LIVE["market"])
    yield "get_events", lambda: client.get_events()
    yield "get_multivariate_events", lambda: client.get_multivariate_events()
    yield "get_event", lambda: client.get_event(LIVE["event"], with_nested_markets=True)
    yield "get_series", lambda: client.get_series(LIVE["series"])
    yield (
        "market.get_candlesticks",
        lambda: client.get_market(LIVE["market"]).get_candlesticks(START, END),
    )
    yield (
        "get_candlesticks_batch",
        lambda: client.get_candlesticks_batch([LIVE["market"]], START, END),
    )
    yield "exchange.get_status", lambda: client.exchange.get_status()
    yield "exchange.get_schedule", lambda: client.exchange.get_schedule()
    yield "exchange.get_user_data_timestamp", lambda: client.exchange.get_user_data_timestamp()
    yield "history.get_cutoff", lambda: client.history.get_cutoff()
    yield "history.get_fills", lambda: client.history.get_fills()
    yield "history.get_markets", lambda: client.history.get_markets()
    yield "history.get_market", lambda: client.history.get_market(ARCHIVED["market"])
    yield (
        "history.get_candlesticks",
        lambda: client.history.get_candlesticks(ARCHIVED["market"], start_ts=START, end_ts=END),
    )


def listen(client):
    feed = client.feed()
    # The package chooses between production and demo only.
    feed._ws_url = GIVEN["ws_url"]
    heard = {channel: threading.Event() for channel in CHANNELS}
    for channel in CHANNELS:
        feed.on(channel, lambda message, channel=channel: heard[channel].set())
        feed.subscribe(channel)
    feed.start()
    for channel in CHANNELS:
        is_heard = heard[channel].wait(PATIENCE_SECONDS)
        tell(channel, 1 if is_heard else "nothing was heard")
    feed.stop()


with KalshiClient(
    api_key_id=GIVEN["key_id"],
    private_key_path=GIVEN["key_file"],
    api_base=GIVEN["api_base"],
    max_retries=0,
) as client:
    for name, call in calls(client):
        try:
            tell(name, outcome(call()))
        except Exception as error:
            tell(name, trouble(error))
    listen(client)
