"""Closing lines: the price just before an event began, where the exchange knows when it did."""

from datetime import timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from kalshi.errors import DecodeError, KalshiError, RequestRejected, ServerFailed, Unavailable
from kalshi.history import Candle, Range
from kalshi.milestones import Milestone
from ledger import closing_lines, recording
from ledger.models import Followed, Trade
from ledger.records import Fill, Settlement
from positions.models import Market
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now().replace(microsecond=0)
START = NOW - timedelta(hours=2)
read = async_to_sync(closing_lines.read)


class Threads:
    async def run(self, function, *args):
        return await sync_to_async(function)(*args)


class Exchange:
    """Knows when one event began, and what its market was traded at."""

    def __init__(
        self,
        candles: list[Candle],
        *,
        has_milestone: bool = True,
        trouble: KalshiError | None = None,
        fails_at: str | None = None,
    ) -> None:
        self.candles, self.asked, self.trouble = candles, 0, trouble
        # Events that begin so.
        self.fails_at = fails_at
        self._has_milestone = has_milestone

    async def milestones(self, event_ticker: str) -> list[Milestone]:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        if self.fails_at and event_ticker.startswith(self.fails_at):
            raise ServerFailed("boom")
        return [Milestone("m", START, (event_ticker,), ())] if self._has_milestone else []

    async def all_candlesticks(self, series, ticker, *, since, until, minutes) -> list[Candle]:
        return [each for each in self.candles if since < each.ends_at <= until]


def candle(minutes: int, close: str | None, previous: str | None = None) -> Candle:
    span = Range(*[Decimal("0.5")] * 4)
    price = None if close is None else Range(*[Decimal("0.1")] * 3, Decimal(close))
    told = None if previous is None else Decimal(previous)
    ends_at = START - timedelta(minutes=minutes)
    return Candle(ends_at, span, span, price, told, Decimal(1), Decimal(1))


@pytest.fixture
def account(transactional_db) -> int:
    account_id = make_account(environment="sandbox").pk
    Followed.objects.create(account_id=account_id, until=NOW)
    Market.objects.create(
        environment="sandbox",
        ticker="GAME-HOME",
        event_ticker="GAME",
        series_ticker="SERIES",
        title="Who wins?",
        yes_outcome="",
        no_outcome="",
        close_time=NOW - timedelta(hours=1),
    )
    zero = Decimal(0)
    opened = START - timedelta(days=1)
    recording.record(
        account_id,
        [
            Fill("a", "o", "GAME-HOME", opened, "no", Decimal(10), Decimal("0.40"), zero),
            Settlement(
                *("GAME-HOME", NOW - timedelta(minutes=30), "no", zero, Decimal(-10)),
                *(Decimal(4), Decimal(10), zero),
            ),
        ],
        NOW,
    )
    return account_id


@pytest.mark.parametrize(
    ("candles", "expected"),
    [
        # The last before the beginning counts, for NO what is left of the dollar.
        ([candle(30, "0.50"), candle(2, "0.37"), candle(-5, "0.99")], "0.63"),
        # Nobody traded in that minute: the trade before it.
        ([candle(2, None, previous="0.45")], "0.55"),
        ([candle(2, None)], None),
        ([], None),
    ],
)
def test_line_is_the_last_price_before_the_beginning(account, candles, expected):
    read(Exchange(candles), account, Threads(), NOW)

    trade = Trade.objects.get()
    assert trade.closing_price == (None if expected is None else Decimal(expected))
    assert trade.is_line_asked


def test_event_without_a_beginning_has_none_and_is_asked_for_once(account):
    exchange = Exchange([candle(2, "0.37")], has_milestone=False)

    for _ in range(2):
        read(exchange, account, Threads(), NOW)

    trade = Trade.objects.get()
    assert (trade.closing_price, exchange.asked) == (None, 1)


@pytest.mark.parametrize("trouble", [DecodeError("start_date"), RequestRejected("no such event")])
def test_event_that_cannot_be_read_has_no_line_and_keeps_no_other_waiting(account, trouble):
    exchange = Exchange([candle(2, "0.37")], trouble=trouble)

    read(exchange, account, Threads(), NOW)

    trade = Trade.objects.get()
    assert (trade.closing_price, trade.is_line_asked) == (None, True)


def trade_before(account: int, number: int) -> None:
    """A market of another event, over as well, that waits in front of the one of the fixture."""
    game = Market.objects.get(ticker="GAME-HOME")
    game.pk, game.ticker, game.event_ticker = None, f"OTHER{number}-HOME", f"OTHER{number}"
    game.save()
    trade = Trade.objects.filter(market__ticker="GAME-HOME").get()
    trade.pk, trade.market = -number, game
    trade.save(force_insert=True)


@pytest.mark.parametrize("count", [1, 4])
def test_event_that_the_exchange_fails_at_is_asked_again_and_keeps_no_other_waiting(account, count):
    for number in range(1, count + 1):
        trade_before(account, number)
    exchange = Exchange([candle(2, "0.37")], fails_at="OTHER")

    read(exchange, account, Threads(), NOW)
    told = Trade.objects.filter(is_line_asked=True)
    before = list(told.values_list("market__event_ticker", "closing_price"))
    exchange.fails_at = None
    read(exchange, account, Threads(), NOW)

    assert before == [("GAME", Decimal("0.63"))]
    assert told.count() == count + 1


def test_exchange_that_fails_at_each_event_is_left_alone(account):
    for number in range(1, 10):
        trade_before(account, number)
    exchange = Exchange([], fails_at="OTHER")

    with pytest.raises(ServerFailed):
        read(exchange, account, Threads(), NOW)

    assert exchange.asked == 5


def test_exchange_that_cannot_be_asked_is_asked_again(account):
    with pytest.raises(Unavailable):
        read(Exchange([], trouble=Unavailable("maintenance")), account, Threads(), NOW)

    assert not Trade.objects.get().is_line_asked
