"""REST that lags behind, while the WebSocket tells the present."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.commands import perform
from sandbox.server import Sandbox
from tests.integration.sandbox.client import connect, get, receive, subscribe

LAG = 40
ACCOUNT = (
    "/portfolio/positions?settlement_status=all",
    "/portfolio/balance",
    "/portfolio/fills",
    "/portfolio/settlements",
    "/portfolio/subaccounts/balances",
)


def held(sandbox: Sandbox) -> list[str]:
    return [
        ticker
        for ticker in sandbox.account.portfolios[0].positions
        if sandbox.exchange.markets[ticker].status == "active"
    ]


async def answers(sandbox: Sandbox, *paths: str) -> list[Any]:
    return [(await get(sandbox, path)).json() for path in paths]


async def happen(sandbox: Sandbox) -> None:
    """Something that changes every answer."""
    bought, decided = held(sandbox)[:2]
    sandbox.fill(bought, "yes", Decimal(3), Decimal("0.30"))
    sandbox.determine(decided, Decimal(0))
    sandbox.settle(decided)


async def test_account_is_told_as_it_was_and_catches_up(sandbox: Sandbox) -> None:
    market = f"/markets/{held(sandbox)[0]}"
    before = await answers(sandbox, *ACCOUNT, market)
    await perform(sandbox, {"do": "lag", "account": LAG})

    await happen(sandbox)
    lagging = await answers(sandbox, *ACCOUNT, market)
    await perform(sandbox, {"do": "skip", "seconds": LAG})
    caught_up = await answers(sandbox, *ACCOUNT, market)
    await perform(sandbox, {"do": "lag"})
    present = await answers(sandbox, *ACCOUNT, market)

    assert lagging[:-1] == before[:-1]
    assert lagging[-1] != before[-1]
    assert caught_up == present
    assert all(now != then for now, then in zip(present, before, strict=True))


async def test_markets_are_told_as_they_were_and_catch_up(sandbox: Sandbox) -> None:
    ticker = held(sandbox)[0]
    event = sandbox.exchange.markets[ticker].event_ticker
    # The markets of one event, some of which will change.
    paths = (f"/markets/{ticker}", "/markets?limit=1000", f"/events/{event}")
    before = await answers(sandbox, *paths, *ACCOUNT)
    await perform(sandbox, {"do": "lag", "markets": LAG})

    await happen(sandbox)
    lagging = await answers(sandbox, *paths, *ACCOUNT)
    await perform(sandbox, {"do": "skip", "seconds": LAG})
    caught_up = await answers(sandbox, *paths)
    await perform(sandbox, {"do": "clear"})
    present = await answers(sandbox, *paths)

    assert lagging[:3] == before[:3]
    assert all(now != then for now, then in zip(lagging[3:], before[3:], strict=True))
    assert caught_up == present
    assert all(now != then for now, then in zip(present, before[:3], strict=True))
    assert sandbox.exchange.watcher is None


async def test_stream_tells_the_present_meanwhile(sandbox: Sandbox) -> None:
    ticker = held(sandbox)[0]
    await perform(sandbox, {"do": "lag", "account": LAG, "markets": LAG})

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "fill", "ticker")
        sandbox.fill(ticker, "yes", Decimal(3), Decimal("0.30"))
        fill, shown = [await receive(socket), await receive(socket)]
    told = await answers(sandbox, "/portfolio/fills", f"/markets/{ticker}")

    assert fill["msg"]["trade_id"] not in {row["trade_id"] for row in told[0]["fills"]}
    assert shown["msg"]["volume_fp"] != told[1]["market"]["volume_fp"]


async def test_new_market_is_not_known_yet(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "lag", "markets": LAG})
    known = set(sandbox.exchange.markets)
    event_ticker = sandbox.exchange.markets[held(sandbox)[0]].event_ticker
    for market in sandbox.exchange.markets_of(event_ticker):
        # An event that is over is followed by another.
        sandbox.determine(market.ticker, Decimal(0))
        sandbox.settle(market.ticker)
    new = (set(sandbox.exchange.markets) - known).pop()
    paths = (f"/markets/{new}", f"/events/{sandbox.exchange.markets[new].event_ticker}")

    early = [(await get(sandbox, path)).status_code for path in paths]
    listed = (await get(sandbox, f"/markets?tickers={new}")).json()["markets"]
    await perform(sandbox, {"do": "skip", "seconds": LAG})
    later = [(await get(sandbox, path)).status_code for path in paths]

    assert (early, listed) == ([404, 404], [])
    assert later == [200, 200]


@pytest.mark.parametrize("lag", [0, LAG])
async def test_age_of_the_data_is_told(sandbox: Sandbox, lag: int) -> None:
    await perform(sandbox, {"do": "lag", "account": lag, "markets": 2 * lag})
    earliest = sandbox.market_clock.now() - timedelta(seconds=lag)

    (told,) = await answers(sandbox, "/exchange/user_data_timestamp")

    latest = sandbox.market_clock.now() - timedelta(seconds=lag)
    assert earliest <= datetime.fromisoformat(told["as_of_time"]) <= latest
