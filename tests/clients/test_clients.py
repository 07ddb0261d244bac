"""
What published clients of the exchange say to the sandbox.

`make test-clients` installs them first; one that is not installed is skipped by name.
"""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox, running_exchange
from tests.clients.environments import CLIENTS, PublishedClient

# What a client gets wrong about the exchange's documents of autumn 2026, by the call it fails.
LIQUIDITY = "liquidity_dollars Field required"
KNOWN = {
    "kalshi-sdk": {
        "markets.list": LIQUIDITY,
        "markets.get": LIQUIDITY,
        "historical.markets": LIQUIDITY,
        "historical.market": LIQUIDITY,
    }
}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """An exchange with something to tell on every call: settled, archived, paid in and out."""
    async with running_exchange(positions=60) as running:
        live, old, over = list(running.exchange.events)[:3]
        for event in (live, old, over):
            for market in running.exchange.markets_of(event):
                running.trade(market.ticker, market.tape.last_price)
        settle(running, old)
        running.skip(timedelta(minutes=2))
        running.archive(timedelta(minutes=1))
        settle(running, over)
        running.transfer("deposit", 10_000, fee_cents=25)
        running.transfer("withdrawal", 500, status="pending")
        running.move_cash(0, 1, 2_500)
        running.move_instance(Decimal("12.50"))
        yield running


def settle(sandbox: Sandbox, event: str) -> None:
    for market in sandbox.exchange.markets_of(event):
        sandbox.determine(market.ticker, Decimal(0))
        sandbox.settle(market.ticker)


def names(sandbox: Sandbox, ticker: str) -> dict[str, str]:
    market = sandbox.exchange.markets[ticker]
    series = sandbox.exchange.events[market.event_ticker].series_ticker
    return {"market": ticker, "event": market.event_ticker, "series": series}


def given(sandbox: Sandbox, key_file: Path) -> dict[str, Any]:
    exchange = sandbox.exchange
    first, second, *_ = exchange.markets
    archived = next(each for each in exchange.markets.values() if exchange.is_archived(each))
    now = int(sandbox.market_clock.now().timestamp())
    return {
        "api_base": sandbox.api_base,
        "ws_url": sandbox.ws_url,
        "key_id": sandbox.key_id,
        "key_file": str(key_file),
        "live": names(sandbox, first) | {"other": second},
        "archived": names(sandbox, archived.ticker),
        "start_ts": now - 7200,
        "end_ts": now + 7200,
    }


async def keep_moving(sandbox: Sandbox, ticker: str) -> None:
    """Something on every channel, over and over."""
    while True:
        sandbox.trade(ticker, Decimal("0.30"))
        sandbox.fill(ticker, "yes", Decimal(1), Decimal("0.30"))
        sandbox.pause(ticker)
        sandbox.resume(ticker)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.package)
async def test_published_client_understands_every_answer_and_frame(
    client: PublishedClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    if not client.interpreter.exists():
        pytest.skip(f"{client.package} is not installed; make test-clients says why")
    key_file = tmp_path / "key.pem"
    key_file.write_text(sandbox.private_key)
    told = given(sandbox, key_file)
    moving = asyncio.create_task(keep_moving(sandbox, told["live"]["market"]))

    process = await asyncio.create_subprocess_exec(
        client.interpreter, client.program, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(120):
        output, errors = await process.communicate(json.dumps(told).encode())
    moving.cancel()

    results = [json.loads(line) for line in output.splitlines()]
    print(f"\n{client.package} {client.version}")
    for result in results:
        print(f"  {result['call']}: {result['result']}")
    assert process.returncode == 0, errors.decode()
    said = {each["call"]: each["result"] for each in results}
    failed = {call: result for call, result in said.items() if not isinstance(result, int)}
    known = KNOWN.get(client.package, {})
    assert failed.keys() == known.keys()
    assert all(known[call] in result for call, result in failed.items())
    assert all(count > 0 for count in said.values() if isinstance(count, int))
