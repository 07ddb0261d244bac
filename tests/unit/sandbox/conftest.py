from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sandbox.account import Account, ApiKey
from sandbox.exchange import Exchange
from sandbox.grid import LINEAR_CENT
from sandbox.listing import Event, Market, Series
from sandbox.market import Quote, Tape

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


def market(ticker: str, event_ticker: str = "KXGAME-1") -> Market:
    """An active market quoted at 47 to 53 cents that last traded at half a dollar."""
    quote = Quote(Decimal("0.47"), Decimal(10), Decimal("0.53"), Decimal(20))
    tape = Tape(quote, Decimal("0.50"), Decimal(1), Decimal(100), Decimal(60), NOW)
    return Market(
        ticker=ticker,
        market_id="29c0608a-3169-4cf1-9e08-32f241927c20",
        event_ticker=event_ticker,
        title="Who wins?",
        yes_sub_title="The home team",
        no_sub_title="The home team",
        rules="If the home team wins, then the market resolves to Yes.",
        grid=LINEAR_CENT,
        exchange_index=3 if event_ticker == "KXGAME-1" else 0,
        created_at=NOW,
        open_time=NOW,
        close_time=NOW.replace(year=2027),
        previous=tape,
        tape=tape,
        updated_at=NOW,
    )


@pytest.fixture
def exchange() -> Exchange:
    """Two events; KXGAME-1 has the markets A and B at half the fees, KXRAIN-1 has C."""
    source = ("League", "https://league.example")
    return Exchange(
        series=[
            Series("KXGAME", "Game", "Sports", Decimal("0.5"), 3, source),
            Series("KXRAIN", "Rain", "Weather", Decimal(1), 0, source),
        ],
        events=[
            Event("KXGAME-1", "KXGAME", "Who wins?", "Tonight", True, NOW),
            Event("KXRAIN-1", "KXRAIN", "Will it rain?", "Tonight", False, NOW),
        ],
        markets=[
            market("KXGAME-1-A"),
            market("KXGAME-1-B"),
            market("KXRAIN-1-C", "KXRAIN-1"),
        ],
        random=Random(1),
    )


def exclusive_exchange() -> Exchange:
    """Three markets of KXCUP-1 that exclude each other, and one of KXRAIN-1."""
    source = ("League", "https://league.example")
    return Exchange(
        series=[
            Series("KXCUP", "Cup", "Sports", Decimal(1), 0, source, "quadratic_with_maker_fees"),
            Series("KXRAIN", "Rain", "Weather", Decimal(1), 0, source),
        ],
        events=[
            Event("KXCUP-1", "KXCUP", "Who wins?", "Tonight", True, NOW),
            Event("KXRAIN-1", "KXRAIN", "Will it rain?", "Tonight", False, NOW),
        ],
        markets=[
            *(market(f"KXCUP-1-{each}", "KXCUP-1") for each in "ABC"),
            market("KXRAIN-1-D", "KXRAIN-1"),
        ],
        random=Random(1),
    )


@pytest.fixture
def alice(exchange: Exchange) -> Account:
    """A member with $1,000, and $500 in subaccount 1."""
    return exchange.open_account({0: Decimal(1000), 1: Decimal(500)}, NOW)


@pytest.fixture
def alices_key(exchange: Exchange, alice: Account) -> ApiKey:
    return add_key(exchange, alice, "alices")


def add_key(
    exchange: Exchange,
    account: Account,
    api_key_id: str,
    scopes: tuple[str, ...] = ("read",),
    subaccount: int | None = None,
) -> ApiKey:
    public_key = Ed25519PrivateKey.generate().public_key()
    key = ApiKey(api_key_id, account.user_id, "test", scopes, public_key, subaccount)
    exchange.add_key(key)
    return key
