"""Whatever REST tells of an account is taken, and what it does not tell costs nothing else."""

import asyncio
import gc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from kalshi.environments import Environment
from kalshi.errors import (
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    TurnedAway,
    Unavailable,
)
from kalshi.history import Settlement
from kalshi.pacing import Pacer
from kalshi.rest import Client
from kalshi.rows import LeftOut, Rows
from kalshi.signing import SigningKey
from positions.pnl import MarketState, Quote
from positions.portfolio import EventFacts, MarketFacts
from streaming.worker.reads import (
    MarketsRead,
    if_possible,
    log_left_out,
    read_age,
    read_events,
    read_markets,
    read_payouts,
    read_positions,
    read_traded,
    value_paid,
)

PAYLOADS = Path(__file__).resolve().parents[3] / "payloads" / "kalshi"
MARKET = {
    "ticker": "KXBTCD-26NOV2317-T96000",
    "event_ticker": "KXBTCD-26NOV2317",
    "yes_sub_title": "$96,000 or above",
    "no_sub_title": "Below",
    "title": "Bitcoin price?",
    "status": "active",
    "result": "",
    "yes_bid_dollars": "0.4100",
    "yes_bid_size_fp": "10.00",
    "yes_ask_dollars": "0.4400",
    "yes_ask_size_fp": "0.00",
    "last_price_dollars": "0.4200",
    "close_time": "2026-11-23T22:00:00Z",
    "expected_expiration_time": "2026-11-23T21:30:00Z",
    "updated_time": "2026-11-23T12:00:00Z",
}
TICKER, EVENT_TICKER = MARKET["ticker"], MARKET["event_ticker"]
COMBO = "KXMVECROSSCATEGORY-S20260001"
POSITION = {
    "ticker": TICKER,
    "position_fp": "3.00",
    "market_exposure_dollars": "1.2300",
    "realized_pnl_dollars": "0.0000",
    "fees_paid_dollars": "0.0200",
    "last_updated_ts": "2026-11-23T12:00:00Z",
}
KNOWN = MarketFacts(EVENT_TICKER, "KXBTCD", "The title", "Yes", "No", None)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY_REFUSED = httpx.Response(401, json={"error": {"code": "authentication_error"}})


class Exchange:
    """Answers by path with what was prepared, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, object] = {
            "/exchange/user_data_timestamp": {"as_of_time": "2026-11-23T13:58:21.25Z"},
            "/portfolio/positions": {"market_positions": [POSITION]},
            "/markets": {"markets": [MARKET]},
            "/events": {"events": []},
            "/events/multivariate": {"events": []},
        }

    def lists(self, path: str, *rows: object) -> None:
        (name,) = self.answers[path]
        self.answers[path] = {name: rows}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        tickers = request.url.params.get("tickers")
        self.asked.append(f"{path} {tickers}" if tickers else path)
        answer = self.answers[path]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
async def rest(exchange):
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    environment = Environment("sandbox", "http://127.0.0.1/trade-api/v2", "ws://127.0.0.1/ws")
    key = SigningKey.from_pem((PAYLOADS / "keys" / "ed25519.pem").read_text())
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        pacer = Pacer(monotonic=lambda: now[0], sleep=sleep)
        yield Client(environment, "key-id", key, http=http, pacer=pacer)


def event(ticker: str, title: str, series: str | None = None) -> dict[str, object]:
    return {"event_ticker": ticker, "series_ticker": series, "title": title}


def fill(ticker: str, at: str) -> dict[str, object]:
    return {
        "trade_id": f"trade-{ticker}",
        "market_ticker": ticker,
        "ticker": ticker,
        "side": "yes",
        "action": "buy",
        "outcome_side": "yes",
        "book_side": "bid",
        "count_fp": "1.00",
        "yes_price_dollars": "0.4000",
        "no_price_dollars": "0.6000",
        "fee_cost": "0.01",
        "is_taker": True,
        "created_time": f"2026-11-23T{at}Z",
    }


# Reads that only help


async def answer_of(outcome):
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def test_read_that_succeeds_tells_its_answer():
    assert await if_possible(answer_of(7), "a number") == 7


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("no"),
        RateLimited(),
        TurnedAway(403),
        DecodeError("what"),
        RequestRejected(404),
        ScopeRefused("not this"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_read_that_only_helps_may_fail(error):
    assert await if_possible(answer_of(error), "a number") is None


async def test_rows_that_cannot_be_understood_are_named_whatever_the_read(caplog):
    rows = Rows(["understood"], [LeftOut("Deposit", "deposit 7", "amount: not a number")])

    assert await if_possible(answer_of(rows), "deposits") is rows

    assert [(each.kind, each.row) for each in caplog.records] == [("Deposit", "deposit 7")]


async def test_bug_is_not_passed_over():
    with pytest.raises(ValueError, match="a bug"):
        await if_possible(answer_of(ValueError("a bug")), "a number")


async def test_read_that_only_helps_is_not_waited_for_without_end():
    assert await if_possible(asyncio.Event().wait(), "a number", seconds=0.01) is None


async def test_titles_whose_reading_ends_before_it_begins_leave_nothing_behind(rest):
    reading = asyncio.create_task(read_events(rest, {EVENT_TICKER, COMBO}))
    # Its parts are tasks now, and have not begun.
    await asyncio.sleep(0)

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    # What was never awaited would be told here, and fail this test.
    gc.collect()


# Payouts


PAID = {
    "ticker": "PAID",
    "market_result": "scalar",
    "yes_count_fp": "10.00",
    "yes_total_cost_dollars": "4.0000",
    "no_count_fp": "0.00",
    "no_total_cost_dollars": "0.0000",
    "revenue": 370,
    "value": 37,
    "settled_time": "2026-11-23T12:00:00Z",
    "fee_cost": "0.10",
}


async def test_payouts_are_those_of_the_markets_asked_for(rest, exchange):
    rows = [PAID, PAID | {"ticker": "OTHER"}]
    exchange.answers["/portfolio/settlements"] = {"settlements": rows}

    paid = await read_payouts(rest, 0, {"PAID", "UNPAID"}, NOON)

    assert [row.revenue for row in paid.values()] == [Decimal("3.70")]
    assert list(paid) == ["PAID"]


@pytest.mark.parametrize("status", [403, 404, 429, 503])
async def test_payouts_and_trades_may_not_be_told(rest, exchange, status):
    exchange.answers["/portfolio/settlements"] = httpx.Response(status)
    exchange.answers["/portfolio/fills"] = httpx.Response(status)

    assert await read_payouts(rest, 0, {"PAID"}, NOON) is None
    assert await read_traded(rest, 0, {"PAID": NOON}) == set()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({}, "0.37"),
        ({"yes_count_fp": "0.00", "no_count_fp": "1.00", "revenue": 63}, "0.37"),
        ({"market_result": "yes", "value": None, "revenue": 1000}, "1"),
        # 37.4 cents, of which the value shows the whole ones.
        ({"revenue": 374}, None),
        ({"value": None}, None),
        # Four of the ten were sold before, and are in the row as NO.
        ({"no_count_fp": "4.00", "revenue": 222}, "0.37"),
        ({"no_count_fp": "4.00", "revenue": 622}, "0.37"),
        ({"no_count_fp": "4.00", "revenue": 250}, None),
    ],
)
def test_value_paid_is_what_leads_to_the_payout(change, value):
    row = Settlement.decode(PAID | change)

    assert value_paid(row) == (value and Decimal(value))


async def test_fill_that_made_the_holding_is_not_traded_after_it(rest, exchange):
    # Holdings are dated by milliseconds, fills by microseconds.
    exchange.answers["/portfolio/fills"] = {"fills": [fill("HELD", "12:00:00.000300")]}

    assert await read_traded(rest, 0, {"HELD": NOON}) == set()


async def test_traded_is_what_has_fills_after_its_moment(rest, exchange):
    exchange.answers["/portfolio/fills"] = {
        "fills": [fill("BEFORE", "11:59:59"), fill("AFTER", "12:00:01"), fill("OTHER", "12:00:01")]
    }

    since = {"BEFORE": NOON, "AFTER": NOON, "NEVER": NOON}

    assert await read_traded(rest, 0, since) == {"AFTER"}


# Positions


async def test_age_is_an_instant_of_the_exchange_s(rest):
    assert await read_age(rest) == datetime(2026, 11, 23, 13, 58, 21, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("status", [404, 429, 503])
async def test_age_may_not_be_told(rest, exchange, status):
    exchange.answers["/exchange/user_data_timestamp"] = httpx.Response(status)

    assert await read_age(rest) is None


async def test_positions_come_by_ticker_with_their_age(rest):
    as_of = datetime(2026, 11, 23, 13, 58, 20, tzinfo=UTC)

    read = await read_positions(rest, 0, as_of)

    assert read.rows[TICKER].quantity == 3
    assert read.as_of == as_of
    assert read.left_out == ()


async def test_position_that_cannot_be_understood_is_named_and_logged(rest, exchange, caplog):
    odd = POSITION | {"ticker": "KX-ODD", "position_fp": "many"}
    exchange.lists("/portfolio/positions", odd, POSITION)

    read = await read_positions(rest, 0, None)

    assert list(read.rows) == [TICKER]
    assert [(row.kind, row.name) for row in read.left_out] == [("position", "KX-ODD")]
    assert "row not understood" in caplog.messages


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(httpx.Response(503), Unavailable), (KEY_REFUSED, KeyRefused)],
    ids=["unavailable", "refused"],
)
async def test_list_of_positions_is_needed(rest, exchange, answer, kind):
    exchange.answers["/portfolio/positions"] = answer

    with pytest.raises(kind):
        await read_positions(rest, 0, None)


# Markets


async def test_market_has_its_own_quote_and_for_now_its_own_title(rest):
    read = await read_markets(rest, [TICKER], {})

    assert read.known == {
        TICKER: (
            MarketFacts(
                EVENT_TICKER,
                "KXBTCD",
                "Bitcoin price?",
                "$96,000 or above",
                "Below",
                datetime(2026, 11, 23, 22, tzinfo=UTC),
                is_described=False,
                expected_at=datetime(2026, 11, 23, 21, 30, tzinfo=UTC),
            ),
            MarketState("active", None),
            # Nobody offers YES: a side without size has no price.
            Quote(Decimal("0.4100"), None, Decimal("0.4200")),
        )
    }
    assert read.missing == set()


@pytest.mark.parametrize(
    ("status", "since"),
    [
        ("active", None),
        ("closed", datetime(2026, 11, 23, 22, tzinfo=UTC)),
        ("determined", None),
        ("finalized", datetime(2026, 11, 23, 23, tzinfo=UTC)),
    ],
)
async def test_market_tells_since_when_it_is_closed_or_paid(rest, exchange, status, since):
    settled = "2026-11-23T23:00:00Z"
    exchange.lists("/markets", MARKET | {"status": status, "settlement_ts": settled})

    read = await read_markets(rest, [TICKER], {})

    assert read.known[TICKER][1].since == since


async def test_no_markets_need_no_request(rest, exchange):
    assert await read_markets(rest, [], {}) == MarketsRead()
    assert exchange.asked == []


async def test_titles_are_not_asked_for_together_with_markets(rest, exchange):
    await read_markets(rest, [TICKER], {})

    assert exchange.asked == [f"/markets {TICKER}"]


async def test_title_that_is_known_from_another_market_is_taken(rest):
    read = await read_markets(rest, [TICKER], {"KXBTCD-26NOV2317-T95000": KNOWN})

    facts = read.known[TICKER][0]
    assert (facts.title, facts.series_ticker, facts.is_described) == ("The title", "KXBTCD", True)


async def test_title_that_only_stands_in_is_not_taken(rest):
    undescribed = MarketFacts(EVENT_TICKER, "KXBTCD", "Stand-in", "", "", None, is_described=False)

    read = await read_markets(rest, [TICKER], {"KXBTCD-26NOV2317-T95000": undescribed})

    assert read.known[TICKER][0].title == "Bitcoin price?"
    assert not read.known[TICKER][0].is_described


async def test_market_without_a_title_is_shown_by_its_ticker(rest, exchange):
    exchange.lists("/markets", MARKET | {"title": "", "event_ticker": None})

    facts, _, _ = (await read_markets(rest, [TICKER], {})).known[TICKER]

    assert (facts.title, facts.event_ticker, facts.series_ticker) == (
        TICKER,
        EVENT_TICKER,
        "KXBTCD",
    )


async def test_market_that_is_new_and_not_told_is_shown_by_its_ticker(rest, exchange):
    read = await read_markets(rest, ["KXNEW-26NOV23-T5"], {})

    facts = MarketFacts(
        "KXNEW-26NOV23", "KXNEW", "KXNEW-26NOV23-T5", "", "", None, is_described=False
    )
    assert read.known == {"KXNEW-26NOV23-T5": (facts, MarketState("unknown"), Quote())}
    assert read.missing == {"KXNEW-26NOV23-T5"}


async def test_market_that_is_not_told_has_the_title_of_its_event(rest):
    other = f"{EVENT_TICKER}-T95000"

    read = await read_markets(rest, [other], {TICKER: KNOWN})

    assert read.known[other][0].title == "The title"


async def test_known_market_that_is_not_told_stays_as_it_is_known(rest):
    read = await read_markets(rest, [TICKER, "KXB-1"], {"KXB-1": KNOWN})

    assert list(read.known) == [TICKER]
    assert read.missing == {"KXB-1"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(429),
        httpx.Response(400),
        httpx.Response(403, text="<html>"),
        httpx.Response(200, text="<html>"),
    ],
    ids=["unavailable", "rate limited", "rejected", "turned away", "no JSON"],
)
async def test_markets_that_cannot_be_read_are_missing_and_no_failure(rest, exchange, answer):
    exchange.answers["/markets"] = answer

    read = await read_markets(rest, [TICKER, "KXB-1"], {"KXB-1": KNOWN})

    assert read.missing == {TICKER, "KXB-1"}
    assert list(read.known) == [TICKER]


@pytest.mark.parametrize(
    "others", [pytest.param([], id="the only one"), pytest.param([MARKET], id="one of several")]
)
async def test_market_that_cannot_be_understood_is_named(rest, exchange, others):
    legacy = {**MARKET, "ticker": "KXOLD-1", "yes_bid": 41}
    del legacy["yes_bid_dollars"]
    exchange.lists("/markets", *others, legacy)
    told = [market["ticker"] for market in others]

    read = await read_markets(rest, ["KXOLD-1", *told], {"KXOLD-1": KNOWN})

    assert [(row.kind, row.name) for row in read.left_out] == [("market", "KXOLD-1")]
    assert list(read.known) == told
    assert read.missing == {"KXOLD-1"}


async def test_market_nobody_asked_for_is_not_taken(rest):
    read = await read_markets(rest, ["KXB-1"], {})

    assert list(read.known) == ["KXB-1"]


@pytest.mark.parametrize("odd", ["A,B", "KX SPACE-1", "KX-Ä"])
async def test_ticker_that_cannot_be_asked_for_does_not_spoil_its_batch(rest, exchange, odd):
    read = await read_markets(rest, [odd, TICKER], {})

    assert exchange.asked == [f"/markets {TICKER}"]
    assert read.known[TICKER][1].status == "active"
    assert read.missing == {odd}


async def test_ticker_that_cannot_be_asked_for_is_missing_without_a_request(rest, exchange):
    read = await read_markets(rest, ["A,B"], {})

    assert exchange.asked == []
    assert (read.missing, read.left_out) == ({"A,B"}, ())


def test_second_read_adds_to_the_first():
    first, second, left_out = object(), object(), LeftOut("market", "C", "odd")
    read = MarketsRead({"A": first}, {"A"})

    read.add(MarketsRead({"B": second}, {"C"}, (left_out,)))

    assert read == MarketsRead({"A": first, "B": second}, {"A", "C"}, (left_out,))


# Titles


async def test_titles_come_by_event(rest, exchange):
    exchange.lists("/events", event("KXA-1", "First", "KXA"), event("KXB-2", "Second"))

    titles = await read_events(rest, ["KXA-1", "KXB-2"])

    # A series that is not told is the ticker's beginning.
    assert titles == {
        "KXA-1": EventFacts("KXA", "First", ""),
        "KXB-2": EventFacts("KXB", "Second", ""),
    }


async def test_combos_are_asked_for_apart(rest, exchange):
    exchange.lists("/events", event("KXA-1", "First"))
    exchange.lists("/events/multivariate", event(COMBO, "Combo"))

    titles = await read_events(rest, [COMBO, "KXA-1"])

    assert sorted(exchange.asked) == ["/events KXA-1", f"/events/multivariate {COMBO}"]
    assert {ticker: facts.title for ticker, facts in titles.items()} == {
        "KXA-1": "First",
        COMBO: "Combo",
    }


async def test_lists_that_nothing_is_wanted_of_are_not_asked_for(rest, exchange):
    await read_events(rest, ["KXA-1"])
    await read_events(rest, [])

    assert exchange.asked == ["/events KXA-1"]


async def test_event_without_a_title_is_as_if_it_were_not_told(rest, exchange):
    exchange.lists("/events", event("KXA-1", ""), event("KXB-2", "Second"))

    assert list(await read_events(rest, ["KXA-1", "KXB-2"])) == ["KXB-2"]


@pytest.mark.parametrize(
    ("failing", "title"), [("/events", "Combo"), ("/events/multivariate", "First")]
)
async def test_one_list_that_cannot_be_read_does_not_cost_the_other(rest, exchange, failing, title):
    exchange.lists("/events", event("KXA-1", "First"))
    exchange.lists("/events/multivariate", event(COMBO, "Combo"))
    exchange.answers[failing] = httpx.Response(503)

    titles = await read_events(rest, ["KXA-1", COMBO])

    assert [facts.title for facts in titles.values()] == [title]


def test_rows_that_cannot_be_understood_do_not_fill_the_log(caplog):
    log_left_out([LeftOut("position", f"KX-{number}", "odd") for number in range(1_000)])

    assert len(caplog.records) == 21
    assert caplog.records[-1].count == 1_000
