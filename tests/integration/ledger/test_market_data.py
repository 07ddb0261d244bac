"""The order book and the candles of what an account has to do with, read from the exchange."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

import positions.connection
from accounts.errors import Busy, ExchangeUnavailable
from accounts.turns import Turns
from kalshi.environments import Environment
from kalshi.orderbook import Level, OrderBook
from ledger import market_reads, recording
from ledger.market_reads import MarketReads
from ledger.records import Fill
from positions import order_books
from positions.connection import ConnectionState
from positions.models import Market, Position
from positions.order_books import ReadBook
from tests.integration.book_worker import answering
from tests.integration.ledger.public_exchange import PublicExchange
from tests.integration.streaming import rows
from tests.integration.visitors import Visitor, key_session, make_account, visitor_with
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db

BOOK = {
    "orderbook_fp": {
        "yes_dollars": [["0.5000", "100.00"], ["0.5500", "3.00"]],
        "no_dollars": [["0.4000", "2.00"]],
    }
}
SERIES = {
    "series": {"ticker": "SERIES", "title": "", "fee_type": "quadratic", "fee_multiplier": 0.5}
}
PRICES = dict.fromkeys(("open_dollars", "high_dollars", "low_dollars"), "0.3300")
NOON = datetime(2026, 8, 7, 12, tzinfo=UTC)


def candle(ends_at: datetime) -> dict:
    return {
        "end_period_ts": int(ends_at.timestamp()),
        "yes_bid": PRICES | {"close_dollars": "0.3400"},
        "yes_ask": PRICES | {"close_dollars": "0.3500"},
        "price": {"previous_dollars": "0.3300"},
        "volume_fp": "0.00",
        "open_interest_fp": "128107.77",
    }


@pytest.fixture
def exchange(settings) -> Iterator[PublicExchange]:
    exchange = PublicExchange()
    exchange.answers = {
        "/markets/M-A/orderbook": BOOK,
        "/markets/M-B/orderbook": BOOK,
        "/series/SERIES": SERIES,
    }
    settings.KALSHI_ENVIRONMENTS = {"demo": exchange.environment("demo")}
    yield exchange
    exchange.gate.set()
    exchange.close()


class Clock:
    """Stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reads(monkeypatch, clock) -> Iterator[MarketReads]:
    reads = MarketReads(clock=clock)
    monkeypatch.setattr(market_reads, "READS", reads)
    monkeypatch.setattr(market_reads, "TURNS", Turns(at_once=8, waiting=8, wait_seconds=20))
    yield reads
    reads.close()


@pytest.fixture
def account(reads, exchange):
    """Five contracts of YES in one market; no worker follows it."""
    account = make_account()
    away = ConnectionState("reconnecting", since=NOON, reason="unreachable")
    rows.Worker(account.pk).write({"M-A": "0.55"}, status=away)
    return account


@pytest.fixture
def alice(account) -> Visitor:
    return visitor_with(key_session(account)[1])


def market(ticker: str) -> Market:
    """One as the reads need it, of no database."""
    return Market(ticker=ticker, event_ticker="EVENT", series_ticker="SERIES")


@pytest.fixture
def environment(exchange) -> Environment:
    return exchange.environment("demo")


def test_book_is_told_with_what_selling_now_would_fetch(alice, account, exchange):
    told = alice.get("positions/M-A/orderbook").json()

    as_of = datetime.fromisoformat(told.pop("as_of"))
    assert timedelta(0) <= datetime.now(UTC) - as_of < timedelta(seconds=5)
    # 3 × 0.55 + 2 × 0.50 = 2.65; ↑(0.035 × 3 × 0.2475) = 0.0260 and ↑(0.035 × 2 × 0.25) = 0.0175
    assert told == {
        "account_id": account.pk,
        "ticker": "M-A",
        "yes_bids": [{"price": "0.55", "count": "3"}, {"price": "0.5", "count": "100"}],
        "no_bids": [{"price": "0.4", "count": "2"}],
        "sell_now": {
            "count": "5",
            "average_price": "0.53",
            "worst_price": "0.5",
            "fee": "0.0435",
            "fee_multiplier": "0.5",
            "cash_flow": "2.6065",
            "left": "0",
        },
    }
    assert exchange.asked_for("/orderbook") == ["/markets/M-A/orderbook"]


@pytest.fixture
def live(account, reads, monkeypatch) -> None:
    """It is followed by a worker that a test speaks for, which a busy machine may let wait."""
    monkeypatch.setattr(market_reads, "WORKER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(reads, "_answer_seconds", 2 * PATIENCE_SECONDS)
    monkeypatch.setattr(positions.connection, "WORKER_DOWN_AFTER_SECONDS", 600.0)
    rows.Worker(account.pk).write()


@pytest.mark.django_db(transaction=True)
def test_book_of_a_live_account_is_read_by_its_worker(alice, account, live, exchange):
    read = ReadBook(OrderBook((Level(Decimal("0.56"), Decimal(9)),), ()), NOON)

    with answering(lambda asked: order_books.answer(asked, read)) as questions:
        told = alice.get("positions/M-A/orderbook").json()
        again = alice.get("positions/M-A/orderbook").json()

    assert told["as_of"] == "2026-08-07T12:00:00Z"
    assert (told["yes_bids"], told["no_bids"]) == ([{"price": "0.56", "count": "9"}], [])
    assert told["sell_now"]["average_price"] == "0.56"
    assert told == again
    assert [(each.account_id, each.ticker) for each in questions] == [(account.pk, "M-A")]
    assert exchange.asked_for("/orderbook") == []


@pytest.mark.django_db(transaction=True)
def test_book_that_its_worker_can_not_read_is_asked_for_without_a_key(alice, live, exchange):
    with answering(lambda asked: order_books.answer(asked, None)) as questions:
        told = alice.get("positions/M-A/orderbook").json()

    assert len(questions) == 1
    assert told["sell_now"]["average_price"] == "0.53"
    assert exchange.asked_for("/orderbook") == ["/markets/M-A/orderbook"]


@pytest.mark.django_db(transaction=True)
def test_worker_that_is_silent_is_waited_for_once(alice, live, exchange, clock, monkeypatch):
    monkeypatch.setattr(market_reads, "WORKER_SECONDS", 0.2)
    rows_told = []

    with answering() as questions:
        for seconds in (0, 3, 3):
            clock.now += seconds
            rows_told.append(alice.get("positions/M-A/orderbook").json()["sell_now"])
        assert len(questions) == 1
        clock.now += market_reads.SILENT_SECONDS
        rows_told.append(alice.get("positions/M-A/orderbook").json()["sell_now"])

    assert len(questions) == 2
    assert {each["average_price"] for each in rows_told} == {"0.53"}
    assert len(exchange.asked_for("/orderbook")) == 4


def test_no_is_sold_to_the_bids_for_no_as_far_as_they_go(alice):
    Position.objects.update(quantity=-5)

    sold = alice.get("positions/M-A/orderbook").json()["sell_now"]

    assert (sold["count"], sold["worst_price"], sold["left"]) == ("2", "0.4", "3")


def test_without_bids_there_is_no_price(alice, exchange):
    exchange.answers["/markets/M-A/orderbook"] = {"orderbook_fp": {"yes_dollars": None}}

    told = alice.get("positions/M-A/orderbook").json()

    assert (told["yes_bids"], told["no_bids"]) == ([], [])
    assert told["sell_now"] == {
        "count": "0",
        "average_price": None,
        "worst_price": None,
        "fee": "0",
        "fee_multiplier": "0.5",
        "cash_flow": "0",
        "left": "5",
    }


@pytest.mark.parametrize("answer", [(500, {}), (404, {}), (200, {"series": {}})], ids=str)
def test_book_is_told_though_the_fees_are_not(alice, exchange, answer):
    exchange.answers["/series/SERIES"] = answer

    sold = alice.get("positions/M-A/orderbook").json()["sell_now"]

    # As with a multiplier of one: ↑0.051975 and ↑0.035
    assert (sold["fee_multiplier"], sold["fee"]) == (None, "0.087")


def test_position_that_was_closed_or_is_known_by_a_fill_has_a_book_too(alice, account):
    Position.objects.update(quantity=0, closed_reason="closed")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fill = Fill("trade", "order", "M-B", at, "yes", Decimal(1), Decimal("0.4"), Decimal(0))
    recording.record(account.pk, [fill], at)

    for ticker in ("M-A", "M-B"):
        told = alice.get(f"positions/{ticker}/orderbook")
        assert told.status_code == 200
        assert told.json()["sell_now"]["left"] == "0"


@pytest.mark.parametrize("call", ["orderbook", "candles"])
def test_exchange_is_asked_for_no_market_that_the_account_has_nothing_to_do_with(
    alice, account, exchange, call
):
    rows.Worker(make_account().pk).write({"M-B": "0.4"})
    elsewhere = Market.objects.create(
        environment="production", ticker="M-C", event_ticker="E", series_ticker="S", title=""
    )
    Position.objects.filter(market__ticker="M-A").update(market=elsewhere)

    statuses = [
        alice.get(f"positions/{ticker}/{call}").status_code
        for ticker in ("M-A", "M-B", "M-C", "M-NONE", "x" * 201, "%00")
    ]

    assert statuses == [404, 404, 404, 404, 422, 422]
    assert exchange.asked == []


def test_book_of_an_account_that_is_not_seen_is_not_told(alice, exchange):
    other = make_account()
    rows.Worker(other.pk).write({"M-A": "0.4"})

    assert alice.get(f"positions/M-A/orderbook?account={other.pk}").status_code == 404
    assert Visitor().get("positions/M-A/orderbook").status_code == 401
    assert exchange.asked == []


def test_all_who_ask_within_two_seconds_share_one_reading(alice, exchange, clock):
    alice.get("positions/M-A/orderbook")
    clock.now += 1.9
    alice.get("positions/M-A/orderbook")
    shared = list(exchange.asked)
    clock.now += 0.2
    alice.get("positions/M-A/orderbook")

    assert shared.count("/markets/M-A/orderbook") == 1
    assert exchange.asked.count("/markets/M-A/orderbook") == 2
    assert exchange.asked.count("/series/SERIES") == 1


def test_all_who_ask_at_once_wait_for_one_reading(reads, exchange, environment):
    exchange.gate.clear()
    with ThreadPoolExecutor() as threads:
        asking = [threads.submit(reads.book, environment, market("M-A")) for _ in range(5)]
        assert exchange.has_asker.acquire(timeout=20)
        exchange.gate.set()
        books = [each.result(20).book for each in asking]

    assert all(book == books[0] for book in books)
    assert exchange.asked_for("/orderbook") == ["/markets/M-A/orderbook"]


def test_market_that_is_not_described_yet_is_found_by_its_event(reads, exchange, environment):
    undescribed = Market(
        ticker="M-A", event_ticker="EVENT", series_ticker="GUESS", is_described=False
    )
    exchange.answers |= {
        "/events/EVENT": {"event": {"event_ticker": "EVENT", "series_ticker": "SERIES"}},
        "/series/SERIES/markets/M-A/candlesticks": {"candlesticks": []},
    }

    span = {"since": NOON, "until": NOON + timedelta(hours=1), "minutes": 1}
    assert list(reads.candles(environment, undescribed, **span)) == []
    assert reads.book(environment, undescribed).terms.multiplier == Decimal("0.5")


def test_market_is_asked_about_once_at_a_time_and_others_meanwhile(reads, exchange, environment):
    exchange.answers["/series/SERIES/markets/M-A/candlesticks"] = {"candlesticks": []}
    both_markets = threading.Barrier(2, timeout=20)
    exchange.gate.wait = lambda timeout: both_markets.wait()  # nobody goes on alone

    with ThreadPoolExecutor() as threads:
        span = {"since": NOON, "until": NOON + timedelta(hours=1), "minutes": 1}
        read = [
            threads.submit(reads.candles, environment, market("M-A"), **span),
            threads.submit(reads.candles, environment, market("M-A"), **span | {"minutes": 60}),
            threads.submit(reads.candles, environment, market("M-B"), **span),
        ]
        # Of M-B first the market's own, then the archive's.
        outcomes = [each.exception(20) for each in read]

    assert [type(each).__name__ for each in outcomes] == ["NoneType", "NoneType", "NotFound"]
    assert exchange.at_once == {"M-A": 1, "M-B": 1}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, b"<html>"), "not available at the moment (500)"),
        ((503, {}), "not available at the moment (503)"),
        ((429, {}), "too many requests"),
        ((400, {"error": {"code": "bad"}}), "rejected the request (400, bad)"),
        ((401, {"error": {"code": "authentication_error"}}), "without a key"),
        ((403, b"denied"), "refuses this server's requests"),
        ((200, b"nonsense"), "can't be understood"),
        ((200, {"orderbook_fp": {"yes_dollars": [["2", "x"]]}}), "can't be understood"),
    ],
    ids=str,
)
def test_failure_is_told_in_words(alice, exchange, answer, words):
    exchange.answers["/markets/M-A/orderbook"] = answer

    told = alice.get("positions/M-A/orderbook")

    assert told.status_code == 503
    assert told.json()["error"]["code"] == "exchange_unavailable"
    assert words in told.json()["error"]["message"]


def test_market_that_the_exchange_has_no_more_is_404(alice, exchange):
    del exchange.answers["/markets/M-A/orderbook"]

    told = alice.get("positions/M-A/orderbook")

    assert told.status_code == 404
    assert told.json()["error"]["message"] == (
        "The exchange has nothing of this market, or no longer."
    )


def test_exchange_that_is_away_is_told(alice, exchange, settings):
    gone = Environment("demo", "http://127.0.0.1:9/trade-api/v2", "ws://127.0.0.1:9/ws")
    settings.KALSHI_ENVIRONMENTS = {"demo": gone}

    told = alice.get("positions/M-A/orderbook")

    assert told.status_code == 503
    assert told.json()["error"]["message"] == "The exchange cannot be reached."


@pytest.mark.django_db(transaction=True)
def test_no_connection_to_the_database_is_held_meanwhile(reads, exchange, environment):
    assert not Market.objects.exists()
    assert connection.connection is not None

    reads.book(environment, market("M-A"))

    assert connection.connection is None


def test_silent_exchange_is_not_waited_for_long(exchange, environment):
    exchange.gate.clear()
    reads = MarketReads(answer_seconds=0.05)

    with pytest.raises(ExchangeUnavailable, match="took too long"):
        reads.book(environment, market("M-A"))

    reads.close()


def test_few_wait_for_the_exchange_and_the_rest_are_told(reads, exchange, environment, monkeypatch):
    monkeypatch.setattr(market_reads, "TURNS", Turns(at_once=1, waiting=0, wait_seconds=20))
    kept = reads.book(environment, market("M-B"))
    exchange.gate.clear()

    with ThreadPoolExecutor() as threads:
        first = threads.submit(reads.book, environment, market("M-A"))
        assert exchange.has_asker.acquire(timeout=20)
        while not exchange.asked_for("M-A/orderbook"):
            assert exchange.has_asker.acquire(timeout=20)
        with pytest.raises(Busy):
            reads.book(environment, market("M-C"))
        # What is there already costs nobody's turn.
        again = reads.book(environment, market("M-B"))
        exchange.gate.set()

        assert first.result(20).book == kept.book == again.book


def test_candles_are_told_in_our_names(alice, account, exchange):
    exchange.answers["/series/SERIES/markets/M-A/candlesticks"] = {
        "candlesticks": [
            candle(NOON),
            candle(NOON + timedelta(minutes=1)),
            candle(NOON + timedelta(hours=1)),
            candle(NOON + timedelta(hours=1, minutes=1)),
            {"end_period_ts": "?"},
        ]
    }

    told = alice.get("positions/M-A/candles?from=2026-08-07T12:00:00Z&to=2026-08-07T13:00:00Z")

    assert told.status_code == 200
    [first, second] = told.json().pop("candles")
    assert told.json() | {"candles": None} == {
        "account_id": account.pk,
        "ticker": "M-A",
        "minutes": 1,
        "candles": None,
        "unreadable_count": 1,
    }
    assert second["ends_at"] == "2026-08-07T13:00:00Z"
    assert first == {
        "ends_at": "2026-08-07T12:01:00Z",
        "yes_bid": {"open": "0.33", "high": "0.33", "low": "0.33", "close": "0.34"},
        "yes_ask": {"open": "0.33", "high": "0.33", "low": "0.33", "close": "0.35"},
        "price": None,
        "previous_price": "0.33",
        "volume": "0",
        "open_interest": "128107.77",
    }
    start = int(NOON.timestamp())
    assert exchange.asked == [
        "/series/SERIES/markets/M-A/candlesticks"
        f"?start_ts={start}&end_ts={start + 3660}&period_interval=1"
    ]


def test_candles_of_the_last_day_are_told_unless_asked_otherwise(alice, exchange):
    exchange.answers["/series/SERIES/markets/M-A/candlesticks"] = {"candlesticks": []}

    told = alice.get("positions/M-A/candles").json()

    assert (told["minutes"], told["candles"]) == (1, [])
    [asked] = exchange.asked
    times = dict(each.split("=") for each in asked.partition("?")[2].split("&"))
    assert int(times["end_ts"]) - int(times["start_ts"]) == 24 * 3600 + 60


@pytest.mark.parametrize(
    ("span", "minutes"),
    [
        ("from=2026-08-01&to=2026-08-04", 1),
        ("from=2026-08-01&to=2026-08-05", 60),
        ("from=2026-01-01T00:00:00%2B02:00&to=2026-02-01T00:00:00+02:00", 60),
        ("from=2025-01-01&to=2026-01-01", 1440),
        ("from=2018-01-01&to=2026-01-01", 1440),
    ],
)
def test_candles_are_as_long_as_the_span_needs(alice, exchange, span, minutes):
    exchange.answers["/series/SERIES/markets/M-A/candlesticks"] = {"candlesticks": []}

    assert alice.get(f"positions/M-A/candles?{span}").json()["minutes"] == minutes


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("from=yesterday", "“from” must be a day such as"),
        ("to=2026-08-01T00:00:00", "“to” must be a day such as"),
        ("to=0001-01-01", "“to” must be a day such as"),
        ("to=9999-12-31", "“to” must be a day such as"),
        ("from=%00", "“from” must be a day such as"),
        ("from=2026-08-02&to=2026-08-01", "“from” must lie before “to”"),
        ("from=2026-08-02&to=2026-08-02", "“from” must lie before “to”"),
        ("from=1980-01-01&to=2026-08-02", "by at most 4998 days"),
    ],
)
def test_span_that_makes_no_chart_is_told(alice, exchange, span, words):
    told = alice.get(f"positions/M-A/candles?{span}")

    assert told.status_code == 422
    assert words in told.json()["error"]["message"]
    assert exchange.asked == []
