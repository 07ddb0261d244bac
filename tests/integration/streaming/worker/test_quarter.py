"""
A trader's quarter, lived through: the product beside an exchange whose ninety days pass at once.

Both go by one clock, which the test moves on. Whenever everything is at rest the product's figures
equal the exchange's own books, to the last digit.
"""

import asyncio
import functools
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db.models import QuerySet, Sum
from django.utils import timezone

from kalshi.environments import Environment
from kalshi.pacing import Pacer
from kalshi.rest import Client
from kalshi.socket import connect
from ledger import holes, models, proving
from ledger.periods import STALE_AFTER
from positions.models import AccountStream, Position
from sandbox import keys, quarter, signatures
from sandbox import position as sandbox_position
from sandbox.account import Portfolio
from sandbox.scenarios import perform_at
from sandbox.server import Sandbox, running_exchange
from streaming.worker import agenda, authority, feed, historian, past, persistence, trading_day
from tests.integration.streaming import rows
from tests.integration.streaming.conftest import feeding
from tests.waiting import until

ZONE = ZoneInfo("America/New_York")
# A summer's quarter; it ends after the clocks have changed.
BEGUN = datetime(2026, 8, 25, 13, 0, tzinfo=UTC)
# How often the books are compared, beside the beginning of each day.
CHANCE_OF_REST = 0.02
# When nobody follows: an evening, days on end, an hour.
OUTAGES = [
    (timedelta(days=12.2), timedelta(days=12.5)),
    (timedelta(days=33.3), timedelta(days=36.4)),
    (timedelta(days=71.0), timedelta(days=71.05)),
]
FOREVER = timedelta.max


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
    monkeypatch.setattr(Pacer, "turn", at_once)
    # Time jumps while a signed request is on its way.
    monkeypatch.setattr(signatures, "_WINDOW", timedelta(days=400))
    monkeypatch.setattr(historian, "BETWEEN_SECONDS", 0.02)
    monkeypatch.setattr(past, "PAGE_SECONDS", 0.0)
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(agenda, "BALANCE_SECONDS", 0.1)
    monkeypatch.setattr(agenda, "DEBOUNCE_SECONDS", 0.02)
    monkeypatch.setattr(agenda, "LAG_SECONDS", 0.05)
    monkeypatch.setattr(agenda, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(authority, "FILL_PATIENCE_SECONDS", 0.1)
    return clock


async def at_once(self: Pacer, path: str) -> None:
    """As for an account that may ask as often as it likes."""


@pytest.fixture
def point(monkeypatch) -> asyncio.Event:
    """Lets the product store a point when it is set, as it does every minute."""
    wanted = asyncio.Event()

    async def run(self: trading_day.TradingDay) -> None:
        while True:
            await wanted.wait()
            # Before it: the next may be wanted as soon as this one is stored, and it goes on.
            wanted.clear()
            is_stored = False
            try:
                is_stored = await self.add_point()
            finally:
                if not is_stored:
                    wanted.set()
            if not is_stored:
                await asyncio.sleep(0.05)

    monkeypatch.setattr(trading_day.TradingDay, "run", run)
    return wanted


@pytest.fixture(params=["0.0001", "0.01"], ids=["direct member", "to the cent"])
async def exchange(request, time, settings):
    settings.TRADING_DAY_TIMEZONE = ZONE
    async with running_exchange(
        positions=0,
        clock=lambda: time.now,
        precision=Decimal(request.param),
        # Thousands of requests are signed, and RSA takes longest.
        credentials=keys.new_ed25519(),
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


def ours(account_id: int) -> Iterator[tuple[str, object]]:
    """What the product says of the account; what is read quickest first."""
    stream = AccountStream.objects.get(pk=account_id)
    yield "cash", stream.cash
    yield "is provisional", stream.cash_provisional
    yield "total", stream.total_value
    yield "fills", models.Fill.objects.filter(account_id=account_id).count()
    transfers = models.Transfer.objects.filter(account_id=account_id)
    yield "transferred", transfers.aggregate(all=Sum("cash_flow"))["all"] or Decimal(0)
    yield "held", figures_of(Position.objects.of(account_id).open())
    yield "traded", figures_of(models.RecordedPosition.objects.filter(account_id=account_id))


def figures_of(rows: QuerySet) -> dict[str, tuple[Decimal, ...]]:
    """What each of these markets' rows says, by ticker."""
    names = ("market__ticker", "quantity", "exposure", "realized_pnl", "fees_paid")
    return {ticker: tuple(figures) for ticker, *figures in rows.values_list(*names)}


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


def day_start(at: datetime) -> datetime:
    day = at.astimezone(ZONE).date()
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


async def at_rest(database, alice, books, fed) -> None:
    """Wait until the product says what the exchange does."""
    expected = theirs(books)
    await until(lambda: fed._upstream is not None)
    fed.refresh()

    def is_equal() -> bool:
        return all(said == expected[name] for name, said in ours(alice))

    for _ in range(2):
        try:
            await database.until(is_equal)
        except TimeoutError:
            said = await database.run(lambda: dict(ours(alice)))
            assert difference(said, expected) == {}
        # What REST has just told may be newer than frames that are still on their way.
        await everything_heard(fed)


def difference(said: dict[str, object], expected: dict[str, object]) -> dict[str, object]:
    """What both say of that in which they differ; of markets those that differ."""
    differing: dict[str, object] = {}
    for name in said:
        one, other = said[name], expected[name]
        if isinstance(one, dict) and isinstance(other, dict):
            markets = {each for each in one | other if one.get(each) != other.get(each)}
            one, other = ({each: of.get(each) for each in markets} for of in (one, other))
        if one != other:
            differing[name] = (one, other)
    return differing


async def everything_heard(fed) -> None:
    """Wait until no frame is on its way to the product."""
    upstream = fed._upstream
    if upstream is None:
        return
    connection = upstream._socket._connection
    await (await connection.ping())
    await until(lambda: not len(connection.recv_messages.frames))


class Lived:
    """The quarter as the product lived it: when it rested, and what each day began with."""

    def __init__(self, database, alice: int, books: Books, time: Time) -> None:
        self._database = database
        self._alice = alice
        self._books = books
        self._time = time
        self._opening: tuple[datetime, Decimal, Decimal] | None = None
        self._before: tuple[datetime, Decimal, Decimal] | None = None
        self.rests = 0

    def is_new_day(self) -> bool:
        return self._opening is None or self._opening[0] < day_start(self._time.now) - STALE_AFTER

    def has_rested_at(self, moment: datetime) -> bool:
        return self._before is not None and self._before[0] >= moment

    async def rest(self, fed, point: asyncio.Event) -> None:
        """Compare everything, and let the product store a point."""
        await at_rest(self._database, self._alice, self._books, fed)
        now = self._time.now
        stands = (now, self._books.total(), self._books.transferred())
        if self.is_new_day():
            start = day_start(now)
            is_fresh = self._before is not None and self._before[0] >= start - STALE_AFTER
            self._opening = self._before if is_fresh else stands
        point.set()
        points = models.EquityPoint.objects.filter(account_id=self._alice, at=now)
        stored = await self._database.until(points.first)
        assert stored.total_value == stands[1]
        _, opening, transferred = self._opening
        day_pnl = stands[1] - opening - (stands[2] - transferred)
        expected = (self._opening[0], day_pnl)
        said: list[tuple[datetime | None, Decimal | None]] = []

        def is_equal() -> bool:
            stream = AccountStream.objects.get(pk=self._alice)
            said.append((stream.day_pnl_since, stream.day_pnl))
            return said[-1] == expected

        try:
            await self._database.until(is_equal)
        except TimeoutError:
            assert said[-1] == expected
        self._before = stands
        self.rests += 1


# Two minutes, on a machine that nobody else uses.
@pytest.mark.timeout(1500)
async def test_quarter_is_exact_whenever_it_rests(database, alice, exchange, time, point):
    await database.run(rows.make_credential, alice, exchange)
    books, random = Books(exchange), Random(7)
    lived = Lived(database, alice, books, time)
    away = iter([*OUTAGES, (FOREVER, FOREVER)])
    leaves, comes = next(away)

    async with AsyncExitStack() as running:
        fed, _ = await running.enter_async_context(feeding(alice))
        await database.until(lambda: not holes.being_filled(alice).exists())
        for since, command in quarter.quarter():
            time.now = moment = BEGUN + since
            if fed and since >= leaves:
                await running.aclose()
                fed = None
            await perform_at(exchange, moment, command)
            if fed is None and since >= comes:
                fed, _ = await running.enter_async_context(feeding(alice))
                leaves, comes = next(away)
            is_wanted = lived.is_new_day() or random.random() < CHANCE_OF_REST
            if fed is None or exchange.is_refusing or not is_wanted:
                continue
            # Later than all that happened, so that a balance is known to contain it.
            time.now = moment + timedelta(milliseconds=400)
            if lived.has_rested_at(time.now):
                continue
            exchange.market_clock.go_to(time.now)
            await lived.rest(fed, point)

        assert lived.rests > 90
        assert not await database.run(holes.being_filled(alice).exists)
        told = await database.run(lambda: {*disagreements(alice)})
        assert told == {""}
        assert await database.run(unexplained, alice) == quarter.UNTOLD
        proof = await database.run(proving.prove_account, alice)
        assert proof.residual == quarter.UNTOLD
        assert [each.amount for each in proof.unexplained] == [
            dollars for _, dollars in quarter.INTEREST
        ]
        # A balance may count before what it leaves unexplained is kept.
        await database.until(
            lambda: kept_as_unexplained(alice) == [dollars for _, dollars in quarter.INTEREST]
        )


def disagreements(account_id: int) -> list[str | None]:
    """How the ledger's books and the exchange's rows differ, of those that were compared."""
    compared = models.RecordedPosition.objects.filter(
        account_id=account_id, disagreement__isnull=False
    )
    return list(compared.values_list("disagreement", flat=True))


def kept_as_unexplained(account_id: int) -> list[Decimal]:
    """What the intervals that no record explains are kept with, oldest first."""
    kept = models.Unexplained.objects.filter(account_id=account_id).exclude(amount=0)
    return [each.amount for each in kept.order_by("until")]


def unexplained(account_id: int) -> Decimal:
    """What no record explains, from the first balance to the last."""
    balances = models.Balance.objects.filter(account_id=account_id).order_by("known_until")
    first, last = balances.first(), balances.last()
    flows = Decimal(0)
    for model, column in (
        (models.Fill, "cash_flow"),
        (models.Settlement, "cash_flow"),
        (models.Transfer, "cash_flow"),
        (models.CollateralFlow, "amount"),
    ):
        between = model.objects.filter(account_id=account_id, at__gt=first.known_since)
        flows += between.aggregate(all=Sum(column))["all"] or Decimal(0)
    return last.amount - first.amount - flows
