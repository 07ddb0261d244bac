"""One odd row, or a read that only helps, costs nothing but itself."""

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Credential
from positions import models, reading
from positions.documents import position_document
from sandbox.faults import FailedAnswer, Faults, Latency
from sandbox.server import running_exchange
from sandbox.spoiling import ABSENT, Spoil
from streaming.worker import agenda, authority
from streaming.worker.feed import Feed
from tests.integration.streaming import rows
from tests.integration.streaming.conftest import feeding
from tests.waiting import until


def is_live(account_id: int) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    return stream if stream.status == "live" else None


def documents(account_id: int) -> dict[str, dict]:
    """What the API tells of each position."""
    return {
        row.market.ticker: dict(position_document(row))
        for row in reading.read(account_id).positions
    }


def left_out(account_id: int) -> list[str]:
    return rows.stream_of(account_id).left_out


def all_described() -> bool:
    markets = models.Market.objects.all()
    return markets.exists() and not markets.filter(is_described=False).exists()


def bid_is(account_id: int, ticker: str, bid: str) -> bool:
    return rows.open_positions(account_id)[ticker].yes_bid == Decimal(bid)


def quantity_is(account_id: int, ticker: str, quantity: Decimal) -> bool:
    return rows.open_positions(account_id)[ticker].quantity == quantity


# When a request without an answer is given up: what waits for it takes so long.
GIVEN_UP_SECONDS = 10.0
MARKET_FIELDS = [
    "close_time",
    "event_ticker",
    "status",
    "title",
    "yes_sub_title",
    "result",
    "yes_bid_dollars",
    "yes_ask_size_fp",
    "last_price_dollars",
    "updated_time",
]


@pytest.mark.parametrize("value", [None, ABSENT, {"odd": []}], ids=["null", "absent", "object"])
async def test_odd_market_costs_no_account(
    database, alice, credential, start_feed, sandbox, alices, tickers, value
):
    sandbox.faults.spoils += [
        Spoil("/markets", field, value, row=tickers[0]) for field in MARKET_FIELDS
    ]

    await start_feed(alice)

    await database.until(is_live, alice)
    shown = await database.run(documents, alice)
    assert shown.keys() == {ticker for ticker, it in alices.positions.items() if it.quantity}
    assert shown[tickers[1]]["close_time"] is not None
    assert shown[tickers[0]]["close_time"] is None
    assert shown[tickers[0]]["outcome"] is None
    # What the stream says of it counts.
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
    await database.until(lambda: documents(alice)[tickers[0]]["mark"] == "0.21")
    sandbox.clear_faults()


@pytest.mark.parametrize("status", [500, 404, 401, 403, 429])
@pytest.mark.parametrize(
    "path",
    [
        "/events",
        "/markets",
        "/account/limits",
        "/portfolio/balance",
        "/exchange/user_data_timestamp",
        "/exchange/status",
    ],
)
async def test_read_that_only_helps_keeps_no_account_from_going_live(
    database, alice, credential, start_feed, sandbox, tickers, path, status
):
    sandbox.faults.answers.append(FailedAnswer(status, path=path, times=None))

    await start_feed(alice)

    await database.until(is_live, alice)
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
    await database.until(lambda: documents(alice)[tickers[0]]["mark"] == "0.21")


@pytest.mark.parametrize(
    "path",
    [
        "/exchange/status",
        "/exchange/user_data_timestamp",
        "/account/limits",
        "/portfolio/balance",
        "/markets",
        "/events",
    ],
)
async def test_read_that_only_helps_is_waited_for_by_none_of_the_others(
    database, alice, credential, start_feed, sandbox, alices, tickers, path, monkeypatch
):
    for module in ("authority", "cash_reads", "market_answers", "reads"):
        monkeypatch.setattr(f"streaming.worker.{module}.HELP_SECONDS", 0.2)
    # Longer than a request may take, and than this test does.
    sandbox.faults.path_latencies[path] = Latency(120)
    del alices.positions[tickers[0]]

    await start_feed(alice)
    await database.until(is_live, alice, seconds=GIVEN_UP_SECONDS)
    sandbox.fill(tickers[0], "yes", Decimal(4), Decimal("0.30"))

    await database.until(lambda: tickers[0] in documents(alice), seconds=GIVEN_UP_SECONDS)


async def test_balance_that_is_told_late_is_taken_all_the_same(
    database, alice, credential, start_feed, sandbox, alices, monkeypatch
):
    monkeypatch.setattr("streaming.worker.cash_reads.HELP_SECONDS", 0.0)

    await start_feed(alice)

    await database.until(lambda: rows.stream_of(alice).cash == alices.cash)


async def test_markets_that_are_told_late_are_taken_all_the_same(
    database, alice, credential, start_feed, sandbox, tickers, monkeypatch
):
    monkeypatch.setattr("streaming.worker.market_answers.HELP_SECONDS", 0.0)
    # Else the next look would bring them.
    monkeypatch.setattr("streaming.worker.agenda.FIRST_MISSING_SECONDS", 600.0)

    await start_feed(alice)

    await database.until(is_live, alice)
    await database.until(lambda: documents(alice)[tickers[0]]["market_status"] == "active")
    await database.until(all_described)


async def test_titles_that_could_not_be_read_come_later(
    database, alice, credential, start_feed, sandbox, tickers, monkeypatch
):
    monkeypatch.setattr("streaming.worker.titles.RETRY_SECONDS", 0.1)
    sandbox.faults.answers.append(FailedAnswer(500, path="/events", times=2))

    await start_feed(alice)

    await database.until(all_described)
    event = sandbox.exchange.events[sandbox.exchange.markets[tickers[0]].event_ticker]
    assert (await database.run(documents, alice))[tickers[0]]["title"] == event.title


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position_fp", "many"),
        ("market_exposure_dollars", None),
        ("realized_pnl_dollars", ABSENT),
        ("fees_paid_dollars", 7),
    ],
)
async def test_position_that_cannot_be_read_is_named_and_the_others_go_live(
    database, alice, credential, start_feed, sandbox, alices, tickers, field, value
):
    sandbox.faults.spoils.append(Spoil("/portfolio/positions", field, value, row=tickers[0]))

    feed = await start_feed(alice)

    await database.until(is_live, alice)
    shown = await database.run(documents, alice)
    others = {ticker for ticker, it in alices.positions.items() if it.quantity} - {tickers[0]}
    assert shown.keys() == others
    (named,) = await database.run(left_out, alice)
    assert named.startswith(f"position {tickers[0]}: position: {field}")
    sandbox.clear_faults()
    feed.refresh()
    await database.until(lambda: tickers[0] in documents(alice))
    await database.until(lambda: not left_out(alice))


async def test_position_held_whose_row_turns_odd_stays_and_its_value_is_unknown(
    database, alice, credential, start_feed, sandbox, tickers
):
    feed = await start_feed(alice)
    await database.until(is_live, alice)
    before = await database.run(documents, alice)
    sandbox.faults.spoils.append(Spoil("/portfolio/positions", "position_fp", {}, row=tickers[0]))

    feed.refresh()
    await database.until(lambda: left_out(alice))

    shown = await database.run(documents, alice)
    assert shown.keys() == before.keys()
    assert shown[tickers[0]]["quantity"] == before[tickers[0]]["quantity"]
    assert (shown[tickers[0]]["unreadable"], shown[tickers[0]]["market_value"]) == (
        "position",
        None,
    )
    assert shown[tickers[1]]["unreadable"] is None
    # A frame of the stream tells what the list does not.
    sandbox.fill(tickers[0], "yes", Decimal(1), Decimal("0.30"))
    await database.until(lambda: documents(alice)[tickers[0]]["unreadable"] is None)


async def test_nothing_is_closed_by_rows_without_a_name(
    database, alice, credential, start_feed, sandbox, tickers
):
    feed = await start_feed(alice)
    await database.until(is_live, alice)
    before = await database.run(documents, alice)
    sandbox.faults.spoils.append(Spoil("/portfolio/positions", "ticker", 7, row=tickers[0]))

    feed.refresh()
    await database.until(left_out, alice)

    shown = await database.run(documents, alice)
    assert shown.keys() == before.keys()
    assert (shown[tickers[0]]["unreadable"], shown[tickers[0]]["market_value"]) == (
        "position",
        None,
    )


async def test_position_opened_while_its_row_is_odd_is_shown_by_the_stream_s_word(
    database, alice, credential, start_feed, sandbox, alices, tickers
):
    del alices.positions[tickers[0]]
    await start_feed(alice)
    await database.until(is_live, alice)
    sandbox.faults.spoils.append(Spoil("/portfolio/positions", "position_fp", None, row=tickers[0]))

    sandbox.fill(tickers[0], "yes", Decimal(4), Decimal("0.30"))

    await database.until(lambda: tickers[0] in documents(alice))
    shown = (await database.run(documents, alice))[tickers[0]]
    assert (shown["quantity"], shown["unreadable"]) == ("4", None)


async def test_market_determined_without_a_value_has_the_value_of_its_result(
    database, alice, credential, start_feed, sandbox, tickers
):
    sandbox.faults.spoils.append(
        Spoil("/markets", "settlement_value_dollars", None, row=tickers[0])
    )
    await start_feed(alice)
    await database.until(is_live, alice)

    sandbox.close(tickers[0])
    sandbox.determine(tickers[0], Decimal(1))

    await database.until(lambda: documents(alice)[tickers[0]]["mark_source"] == "settlement")
    assert (await database.run(documents, alice))[tickers[0]]["mark"] == "1"


# Times that have yet to come


@pytest.fixture
def tomorrow() -> int:
    """Milliseconds since 1970."""
    return int((timezone.now() + timedelta(days=1)).timestamp() * 1000)


async def test_price_of_tomorrow_does_not_hold_back_those_of_today(
    database, alice, credential, start_feed, sandbox, tickers, tomorrow
):
    await start_feed(alice)
    await database.until(is_live, alice)
    sandbox.faults.spoils.append(Spoil("/ws/ticker", "ts_ms", tomorrow, row=tickers[0], times=1))

    for bid in ("0.21", "0.25"):
        sandbox.set_quote(tickers[0], Decimal(bid), Decimal("0.30"))
        await database.until(bid_is, alice, tickers[0], bid)

    assert (await database.run(rows.open_positions, alice))[tickers[0]].priced_at < timezone.now()


async def test_holding_sent_tomorrow_does_not_hold_back_those_of_today(
    database, alice, credential, start_feed, sandbox, alices, tickers, tomorrow
):
    await start_feed(alice)
    await database.until(is_live, alice)
    # REST is of no help.
    sandbox.is_refusing = True
    sandbox.faults.spoils.append(
        Spoil("/ws/market_position", "sending_ts_ms", tomorrow, row=tickers[0], times=1)
    )

    for _ in range(2):
        sandbox.fill(tickers[0], "yes", Decimal(3), Decimal("0.30"))
        held = alices.positions[tickers[0]].quantity
        await database.until(quantity_is, alice, tickers[0], held)

    assert sandbox.faults.spoils == []


async def test_times_of_tomorrow_that_were_written_hold_back_nothing(
    database, alice, credential, start_feed, sandbox, alices, tickers
):
    async with feeding(alice):
        await database.until(is_live, alice)
    written = timezone.now() + timedelta(days=1)
    await database.run(
        lambda: models.Position.objects.of(alice).update(held_at=written, priced_at=written)
    )

    await start_feed(alice)
    await database.until(is_live, alice)
    sandbox.is_refusing = True
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.30"))
    sandbox.fill(tickers[0], "yes", Decimal(3), Decimal("0.30"))

    await database.until(bid_is, alice, tickers[0], "0.21")
    await database.until(quantity_is, alice, tickers[0], alices.positions[tickers[0]].quantity)


# What REST says late


@pytest.mark.parametrize("value", ["1", "0", "0.37"])
async def test_market_that_settled_unseen_is_paid_although_its_outcome_is_told_nowhere_else(
    database, alice, credential, start_feed, sandbox, alices, tickers, value
):
    ticker = tickers[0]
    async with feeding(alice):
        await database.until(is_live, alice)
    held = (await database.run(rows.open_positions, alice))[ticker]
    sandbox.close(ticker)
    sandbox.determine(ticker, Decimal(value))
    sandbox.settle(ticker)
    sandbox.faults.spoils.append(Spoil("/markets", "markets", []))

    await start_feed(alice)
    await database.until(is_live, alice)

    closed = await database.run(lambda: models.Position.objects.get(market__ticker=ticker))
    [paid] = alices.settlements
    assert closed.closed_reason == "settled"
    assert closed.realized_pnl == held.realized_pnl + paid.revenue - held.exposure
    assert closed.held_at == pytest.approx(paid.at, abs=timedelta(seconds=1))


@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "not listed"])
@pytest.mark.parametrize("sells_all", [True, False], ids=["sold", "bought more of"])
async def test_position_traded_and_settled_unseen_is_not_taken_for_paid_as_it_was(
    database, alice, credential, start_feed, sandbox, alices, tickers, sells_all, is_listed
):
    ticker = tickers[0]
    async with feeding(alice):
        await database.until(is_live, alice)
    held, cash = alices.positions[ticker].quantity, alices.cash
    side = "yes" if (held > 0) != sells_all else "no"
    sandbox.fill(ticker, side, abs(held) if sells_all else Decimal(3), Decimal("0.30"))
    sandbox.close(ticker)
    sandbox.determine(ticker, Decimal(1))
    sandbox.settle(ticker)
    if not is_listed:
        sandbox.faults.spoils.append(Spoil("/markets", "markets", []))

    await start_feed(alice)
    await database.until(is_live, alice)

    closed = await database.run(lambda: models.Position.objects.get(market__ticker=ticker))
    assert (closed.closed_reason, closed.realized_pnl) == ("closed", None)
    # No payout was invented: the cash is what it was, or what the exchange says.
    assert (await database.run(rows.stream_of, alice)).cash in (cash, alices.cash)


@pytest.mark.parametrize("path", ["/portfolio/settlements", "/portfolio/fills"])
async def test_settled_position_of_which_no_payout_is_told_was_paid_as_it_was(
    database, alice, credential, start_feed, sandbox, tickers, path
):
    ticker = tickers[0]
    async with feeding(alice):
        await database.until(is_live, alice)
    sandbox.close(ticker)
    sandbox.determine(ticker, Decimal(1))
    sandbox.settle(ticker)
    sandbox.faults.spoils.append(Spoil("/portfolio/settlements", "settlements", []))
    sandbox.faults.answers.append(FailedAnswer(500, path=path, times=None))

    await start_feed(alice)
    await database.until(is_live, alice)

    closed = await database.run(lambda: models.Position.objects.get(market__ticker=ticker))
    assert closed.closed_reason == "settled"


async def test_quote_of_the_stream_is_not_undone_by_a_read_that_lags(
    database, alice, credential, start_feed, sandbox, tickers
):
    feed = await start_feed(alice)
    await database.until(is_live, alice)
    sandbox.lag(markets=timedelta(seconds=30))
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
    await database.until(bid_is, alice, tickers[0], "0.21")
    reconciled = (await database.run(rows.stream_of, alice)).reconciled_at

    feed.refresh()
    await database.until(lambda: rows.stream_of(alice).reconciled_at > reconciled)

    assert await database.run(bid_is, alice, tickers[0], "0.21")


async def test_sold_position_does_not_come_back_while_rest_lags(
    database, alice, credential, start_feed, sandbox, alices, tickers, monkeypatch
):
    # As if the read came long after the sale.
    monkeypatch.setattr("positions.reconciliation.TRUST_AFTER_SECONDS", 0.0)
    feed = await start_feed(alice)
    await database.until(is_live, alice)
    sandbox.lag(account=timedelta(hours=1))
    sandbox.fill(tickers[0], "no", alices.positions[tickers[0]].quantity, Decimal("0.30"))
    await database.until(lambda: tickers[0] not in documents(alice))

    for _ in range(2):
        reconciled = (await database.run(rows.stream_of, alice)).reconciled_at
        feed.refresh()
        await database.until(
            lambda reconciled=reconciled: rows.stream_of(alice).reconciled_at > reconciled
        )
        assert tickers[0] not in await database.run(documents, alice)


async def test_market_that_rest_does_not_know_yet_is_asked_for_again_soon(
    database, alice, credential, start_feed, sandbox, alices, tickers, monkeypatch
):
    monkeypatch.setattr("streaming.worker.agenda.FIRST_MISSING_SECONDS", 0.1)
    sandbox.faults.spoils.append(Spoil("/markets", "markets", []))
    del alices.positions[tickers[0]]
    await start_feed(alice)
    await database.until(is_live, alice)

    sandbox.fill(tickers[0], "yes", Decimal(4), Decimal("0.30"))
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))

    # By its ticker, with the stream's price.
    await database.until(lambda: documents(alice).get(tickers[0], {}).get("mark") == "0.21")
    assert (await database.run(documents, alice))[tickers[0]]["market_status"] == "unknown"
    sandbox.clear_faults()
    await database.until(lambda: documents(alice)[tickers[0]]["market_status"] == "active")


async def test_market_that_rest_tells_no_more_of_after_a_loss_is_unknown(
    database, alice, credential, start_feed, sandbox, tickers, monkeypatch
):
    monkeypatch.setattr("streaming.worker.agenda.FIRST_MISSING_SECONDS", 0.1)
    await start_feed(alice)
    await database.until(is_live, alice)
    first = await database.run(is_live, alice)
    sandbox.faults.spoils.append(Spoil("/markets", "markets", []))
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))

    await sandbox.close_connections(None)

    await database.until(lambda: (is_live(alice) or first).since > first.since)
    assert (await database.run(documents, alice))[tickers[0]]["market_status"] == "unknown"
    # Its price the stream tells anew, a moment later.
    await database.until(lambda: documents(alice)[tickers[0]]["mark"] == "0.21")
    told = (await database.run(documents, alice))[tickers[0]]
    assert told["market_status"] == "unknown"
    assert told["title"] != tickers[0]
    sandbox.clear_faults()
    await database.until(lambda: documents(alice)[tickers[0]]["market_status"] == "active")


# However many


async def test_going_live_asks_for_each_thing_once(
    database, alice, credential, start_feed, monkeypatch
):
    asked: Counter[str] = Counter()
    # Every call is held against the faults.
    monkeypatch.setattr(Faults, "failure_of", lambda self, path: asked.update([path]))
    # REST may be a moment older than the stream, and is read once more then.
    monkeypatch.setattr(authority, "FIRST_BEHIND_SECONDS", 600.0)
    monkeypatch.setattr(agenda, "FIRST_BEHIND_SECONDS", 600.0)
    # What is past is read once it is live, the markets that were traded among it.
    monkeypatch.setattr(Feed, "_keep_ledger", lambda self, historian: asyncio.sleep(3600))

    await start_feed(alice)

    # A worker may take over a hundred accounts at once.
    await database.until(is_live, alice)
    once = [
        "/exchange/status",
        "/account/limits",
        "/portfolio/positions",
        "/portfolio/balance",
        "/markets",
    ]
    assert {path: asked[path] for path in once} == dict.fromkeys(once, 1)


async def test_hundreds_of_events_are_asked_for_by_few_calls(
    database, alice, sandbox_environment, start_feed, settings, monkeypatch
):
    async with running_exchange(
        positions=270, events_apart=True, updates_per_minute=0, usage_tier="basic"
    ) as wide:
        settings.KALSHI_ENVIRONMENTS = {
            "sandbox": type(sandbox_environment)("sandbox", wide.api_base, wide.ws_url)
        }
        await database.run(rows.make_credential, alice, wide)
        asked: list[str] = []
        # Every call is held against the faults.
        monkeypatch.setattr(Faults, "failure_of", lambda self, path: asked.append(path))

        await start_feed(alice)
        await database.until(is_live, alice)
        shown = await database.run(documents, alice)
        await database.until(lambda: not models.Market.objects.filter(is_described=False).exists())
        titled = await database.run(documents, alice)

    assert len({each["event_ticker"] for each in shown.values()}) == 270
    # One for each event took thirteen seconds.
    assert 0 < len([path for path in asked if path.startswith("/events")]) < 20
    assert {ticker: each["title"] for ticker, each in titled.items()} == {
        ticker: wide.exchange.events[wide.exchange.markets[ticker].event_ticker].title
        for ticker in titled
    }
    await until(lambda: wide.connection_count == 0)


HUGE = "x" * 9_000_000


async def test_account_whose_list_is_too_large_waits_and_its_key_is_not_blamed(
    database, alice, credential, start_feed, sandbox, tickers
):
    sandbox.faults.spoils.append(Spoil("/portfolio/positions", "title", HUGE, row=tickers[0]))
    await start_feed(alice, seconds_per_delay=0.1)

    waits = await database.until(is_waiting, alice)
    sandbox.clear_faults()

    assert waits.reason == "not_understood"
    await database.until(is_live, alice)
    assert await database.run(lambda: Credential.objects.usable().exists())


async def test_markets_that_are_too_large_cost_no_account(
    database, alice, credential, start_feed, sandbox, tickers
):
    sandbox.faults.spoils.append(Spoil("/markets", "title", HUGE, row=tickers[0]))

    await start_feed(alice)

    await database.until(is_live, alice)
    shown = await database.run(documents, alice)
    assert shown[tickers[0]]["outcome"] is None
    sandbox.clear_faults()


def is_waiting(account_id: int) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    return stream if stream.status == "reconnecting" and stream.retry_at else None
