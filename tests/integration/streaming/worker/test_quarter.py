"""
A trader's quarter, lived through: the product beside an exchange whose ninety days pass in a minute.

Both go by one clock, which the test moves on. Whenever everything is at rest the product's figures
equal the exchange's own books, to the last digit.
"""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum
from django.utils import timezone

from kalshi.environments import Environment
from kalshi.rest import Client
from kalshi.socket import connect
from ledger import holes, models
from positions.models import AccountStream, Position
from sandbox import position as sandbox_position
from sandbox import quarter
from sandbox.account import Portfolio
from sandbox.scenarios import perform_at
from sandbox.server import Sandbox, running_exchange
from streaming.worker import agenda, authority, feed, historian
from tests.integration.streaming import rows
from tests.integration.streaming.conftest import feeding
from tests.waiting import until

ZONE = ZoneInfo("America/New_York")
# A summer's quarter; it ends after the clocks have changed.
BEGUN = datetime(2026, 8, 25, 13, 0, tzinfo=UTC)
# How often the books are compared.
CHANCE_OF_REST = 0.06


class Time:
    """The one clock."""

    def __init__(self) -> None:
        self.now = BEGUN

    def seconds(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def time(monkeypatch) -> Time:
    """The clock of exchange and product; what is waited for by seconds is not waited for long."""
    clock = Time()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    monkeypatch.setattr(feed, "Client", functools.partial(Client, clock=clock.seconds))
    monkeypatch.setattr(feed, "connect", functools.partial(connect, clock=clock.seconds))
    monkeypatch.setattr(historian, "POINT_SECONDS", 0.02)
    monkeypatch.setattr(historian, "BETWEEN_SECONDS", 0.02)
    monkeypatch.setattr(historian, "PAGE_SECONDS", 0.0)
    monkeypatch.setattr(historian, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(agenda, "BALANCE_SECONDS", 0.02)
    monkeypatch.setattr(agenda, "DEBOUNCE_SECONDS", 0.02)
    monkeypatch.setattr(agenda, "LAG_SECONDS", 0.05)
    monkeypatch.setattr(agenda, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(authority, "FILL_PATIENCE_SECONDS", 0.1)
    return clock


@pytest.fixture(params=["0.0001", "0.01"], ids=["direct member", "to the cent"])
async def exchange(request, time, settings):
    settings.TRADING_DAY_TIMEZONE = ZONE
    async with running_exchange(
        positions=0,
        clock=lambda: time.now,
        precision=Decimal(request.param),
    ) as sandbox:
        settings.KALSHI_ENVIRONMENTS = {
            "sandbox": Environment("sandbox", sandbox.api_base, sandbox.ws_url)
        }
        yield sandbox


class Books:
    """What the exchange itself says of its member."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.opening: Decimal | None = None
        self.came_in = Decimal(0)

    @property
    def portfolio(self) -> Portfolio:
        return self._sandbox.account.portfolios[0]

    def held(self) -> dict[str, tuple[Decimal, ...]]:
        return {
            ticker: (each.quantity, each.exposure, each.realized_pnl, each.fees_paid)
            for ticker, each in self.portfolio.positions.items()
            if each.quantity
        }

    def traded(self) -> dict[str, tuple[Decimal, ...]]:
        return {
            ticker: (each.quantity, each.exposure, each.realized_pnl, each.fees_paid)
            for ticker, each in self.portfolio.positions.items()
        }

    def total(self) -> Decimal:
        returned = sum(self.portfolio.collateral_returned.values(), Decimal(0))
        value = sum(
            (self._value(each) for each in self.portfolio.positions.values() if each.quantity),
            Decimal(0),
        )
        return self.portfolio.cash + value - returned

    def transferred(self) -> Decimal:
        kinds = ("deposit", "withdrawal", "subaccount_transfer", "instance_transfer")
        entries = self.portfolio.ledger.entries
        return sum((each.dollars for each in entries if each.kind in kinds), Decimal(0))

    def untold(self) -> Decimal:
        entries = self.portfolio.ledger.entries
        return sum((each.dollars for each in entries if each.kind == "untold"), Decimal(0))

    def _value(self, held: sandbox_position.Position) -> Decimal:
        market = self._sandbox.exchange.markets[held.ticker]
        side = "yes" if held.quantity > 0 else "no"
        count = abs(held.quantity)
        if market.settlement_value is not None:
            return count * sandbox_position.price_of(side, market.settlement_value)
        quote = market.tape.quote
        if market.status == "active":
            if side == "yes" and quote.yes_bid_size:
                return count * quote.yes_bid
            if side == "no" and quote.yes_ask_size:
                return count * (1 - quote.yes_ask)
        last = market.tape.last_price
        assert last is not None, f"{held.ticker} has no price"
        return count * sandbox_position.price_of(side, last)


def ours(account_id: int) -> dict[str, object]:
    """What the product says of the account."""
    stream = AccountStream.objects.get(pk=account_id)
    held = Position.objects.of(account_id).open()
    books = models.Book.objects.filter(account_id=account_id).select_related("market")
    return {
        "cash": stream.cash,
        "is provisional": stream.cash_provisional,
        "total": stream.total_value,
        "held": {
            row.market.ticker: (row.quantity, row.exposure, row.realized_pnl, row.fees_paid)
            for row in held
        },
        "traded": {
            book.market.ticker: (book.quantity, book.exposure, book.realized_pnl, book.fees_paid)
            for book in books
        },
        "transferred": models.Transfer.objects.filter(account_id=account_id).aggregate(
            all=Sum("cash_flow")
        )["all"]
        or Decimal(0),
        "fills": models.Fill.objects.filter(account_id=account_id).count(),
    }


def theirs(books: Books) -> dict[str, object]:
    """What the exchange says of it, in the same words."""
    return {
        "cash": books.portfolio.cash,
        "is provisional": False,
        "total": books.total(),
        "held": books.held(),
        "traded": books.traded(),
        "transferred": books.transferred(),
        "fills": len(books.portfolio.fills),
    }


def day_is_due(at: datetime, before: datetime) -> bool:
    return at.astimezone(ZONE).date() != before.astimezone(ZONE).date()


async def at_rest(database, alice, books, fed) -> None:
    """Wait until the product says what the exchange does."""
    expected = theirs(books)
    fed.refresh()
    said: list[dict[str, object]] = []

    def is_equal() -> bool:
        said.append(ours(alice))
        return said[-1] == expected

    try:
        await database.until(is_equal, seconds=8)
    except TimeoutError:
        assert said[-1] == expected


async def test_quarter_is_exact_whenever_it_rests(database, alice, exchange, time):
    await database.run(rows.make_credential, alice, exchange)
    books, random = Books(exchange), Random(7)
    compared, rested_at = 0, BEGUN

    async with feeding(alice) as (fed, _):
        await database.until(lambda: not holes.being_filled(alice).exists())
        for since, command in quarter.quarter():
            moment = BEGUN + since
            time.now = moment
            await perform_at(exchange, moment, command)
            if random.random() > CHANCE_OF_REST or exchange.is_refusing:
                continue
            # Later than all that happened, so that a balance is known to contain it.
            time.now = moment + timedelta(seconds=1)
            exchange.market_clock.go_to(time.now)
            await at_rest(database, alice, books, fed)
            compared += 1
            rested_at = time.now

    assert compared > 80
    assert rested_at > BEGUN + timedelta(days=80)
    await until(lambda: True)


def days() -> Iterator[datetime]:
    """The beginnings of the quarter's days."""
    day = BEGUN.astimezone(ZONE).date()
    while True:
        day += timedelta(days=1)
        yield datetime(day.year, day.month, day.day, tzinfo=ZONE)
