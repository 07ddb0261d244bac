"""What Alice holds at the exchange."""

import pytest

from sandbox.account import Portfolio


@pytest.fixture
def alices(sandbox) -> Portfolio:
    """What Alice holds at the exchange."""
    return sandbox.account.portfolios[0]


@pytest.fixture
def tickers(sandbox, alices) -> list[str]:
    """Markets that Alice holds YES of, with a bid and an ask."""
    return [
        ticker
        for ticker, position in sorted(alices.positions.items())
        if position.quantity > 5
        and sandbox.exchange.markets[ticker].tape.quote.has_bid
        and sandbox.exchange.markets[ticker].tape.quote.has_ask
    ]
