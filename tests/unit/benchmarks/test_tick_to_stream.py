"""The time of a tick is that of a stream which lasted."""

from collections.abc import AsyncIterator

import pytest

from benchmarks import tick_to_stream
from sandbox import catalogue, keys
from sandbox.server import Sandbox, utc_now
from tests.waiting import until


@pytest.fixture
async def sandbox(monkeypatch) -> Sandbox:
    """One that is connected to nobody, to be quoted for a moment."""
    monkeypatch.setattr(tick_to_stream, "WARM_UP_SECONDS", 0)
    monkeypatch.setattr(tick_to_stream, "SECONDS", 1)
    exchange, account = catalogue.world(positions=10, seed=1, now=utc_now())
    return Sandbox(exchange, account, keys.new_ed25519())


async def quotes_of(sandbox: Sandbox, monkeypatch, last: int) -> AsyncIterator[dict[str, object]]:
    """A stream that tells of each quote and ends after so many."""
    told = []
    set_quote = sandbox.set_quote

    def quote(ticker, bid, ask):
        set_quote(ticker, bid, ask)
        told.append({"type": "position", "ticker": ticker, "yes_bid": str(bid)})

    monkeypatch.setattr(sandbox, "set_quote", quote)
    for number in range(last):
        await until(lambda number=number: len(told) > number)
        yield told[number]


async def test_stream_that_lasts_is_measured(sandbox, monkeypatch):
    stream = quotes_of(sandbox, monkeypatch, 10**6)

    ticks = await tick_to_stream.measure(sandbox, stream, per_second=300)

    assert ticks.count > 10
    # The next is waited for at the end, so a little fewer; on a busy machine far fewer.
    assert 0 < ticks.per_second <= 301
    assert 0 < ticks.p50 <= ticks.longest


async def test_stream_that_ends_in_the_middle_has_no_figures(sandbox, monkeypatch):
    with pytest.raises(RuntimeError, match="the stream ended"):
        await tick_to_stream.measure(sandbox, quotes_of(sandbox, monkeypatch, 10), 50)
