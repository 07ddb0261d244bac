import asyncio
import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kalshi.environments import Environment
from kalshi.errors import (
    AnswerTooLarge,
    ClockSkew,
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    TurnedAway,
    Unavailable,
)
from kalshi.pacing import Pacer
from kalshi.rate_limits import BASIC
from kalshi.rest import Client
from kalshi.transport import connections

KEY_ID = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"


class Exchange:
    """Answers each request with the next of the prepared responses and keeps the requests."""

    def __init__(self):
        self.responses = []
        self.requests = []

    def answers(self, *responses):
        self.responses += [
            response if isinstance(response, httpx.Response) else httpx.Response(200, json=response)
            for response in responses
        ]

    def __call__(self, request):
        self.requests.append(request)
        return self.responses.pop(0)

    @property
    def queries(self):
        return [dict(request.url.params) for request in self.requests]


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
async def client(exchange, environment, key):
    transport = httpx.MockTransport(exchange)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
        yield Client(environment, KEY_ID, key, http=http, clock=lambda: 1763900000.1239)


async def test_request_is_signed_over_the_path_without_its_query(exchange, client, answers, pem):
    public = load_pem_private_key(pem("ed25519").encode(), None).public_key()
    exchange.answers(answers["positions"])

    await client.positions(0)

    (request,) = exchange.requests
    assert request.method == "GET"
    assert request.headers["KALSHI-ACCESS-KEY"] == KEY_ID
    assert request.headers["KALSHI-ACCESS-TIMESTAMP"] == "1763900000123"
    public.verify(
        base64.b64decode(request.headers["KALSHI-ACCESS-SIGNATURE"]),
        b"1763900000123GET/trade-api/v2/portfolio/positions",
    )


async def test_path_is_signed_with_its_encoding(exchange, client, answers, pem):
    public = load_pem_private_key(pem("ed25519").encode(), None).public_key()
    exchange.answers({"event": answers["event"], "markets": []})

    await client.event("KX/A ?B")

    (request,) = exchange.requests
    assert request.url.raw_path == b"/trade-api/v2/events/KX%2FA%20%3FB?exclude_markets=true"
    public.verify(
        base64.b64decode(request.headers["KALSHI-ACCESS-SIGNATURE"]),
        b"1763900000123GET/trade-api/v2/events/KX%2FA%20%3FB",
    )


async def test_every_request_is_signed_when_it_is_sent(exchange, environment, key, answers):
    clock = iter([1.0, 2.0])
    exchange.answers(answers["exchange_status"], answers["exchange_status"])

    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        client = Client(environment, KEY_ID, key, http=http, clock=lambda: next(clock))
        await client.exchange_status()
        await client.exchange_status()

    timestamps = [request.headers["KALSHI-ACCESS-TIMESTAMP"] for request in exchange.requests]
    assert timestamps == ["1000", "2000"]


async def test_keys_are_listed(exchange, client, answers):
    exchange.answers(answers["api_keys"])

    keys = await client.api_keys()

    assert [key.name for key in keys] == ["dashboard", "bot"]
    assert exchange.requests[0].url.path == "/trade-api/v2/api_keys"


async def test_keys_without_measure_are_refused(exchange, client, answers):
    record = answers["api_keys"]["api_keys"][0]
    exchange.answers({"api_keys": [record] * 1_001})

    with pytest.raises(DecodeError, match="an array of at most 1000"):
        await client.api_keys()


async def test_balance_is_asked_for_one_subaccount(exchange, client, answers):
    exchange.answers(answers["balance"])

    balance = await client.balance(7)

    assert balance.balance == Decimal("98.0186")
    assert exchange.queries == [{"subaccount": "7"}]


async def test_positions_of_all_pages_are_read(exchange, client, answers):
    first, second = answers["positions_with_no"]["market_positions"]
    exchange.answers(
        {"cursor": "next", "market_positions": [first]},
        {"cursor": "", "market_positions": [second]},
    )

    rows = await client.positions(0)

    assert [row.ticker for row in rows] == ["KXHIGHNY-26JUL24-T81", "KXHIGHNY-26JUL24-B87.5"]
    assert exchange.queries == [
        {"subaccount": "0", "limit": "1000"},
        {"subaccount": "0", "limit": "1000", "cursor": "next"},
    ]


async def test_flat_positions_are_read_too(exchange, client, answers):
    (row,) = answers["positions"]["market_positions"]
    exchange.answers({"market_positions": [row | {"position_fp": "0.00"}]})

    (flat,) = await client.positions(0)

    assert flat.quantity == 0
    assert "count_filter" not in exchange.queries[0]


async def test_repeated_cursor_is_not_taken_for_the_last_page(exchange, client, answers):
    row = answers["positions_with_no"]["market_positions"][0]
    page = {"cursor": "same", "market_positions": [row]}
    exchange.answers(page, page)

    with pytest.raises(DecodeError):
        await client.positions(0)

    assert len(exchange.requests) == 2


async def test_position_listed_on_two_pages_counts_once_as_read_last(exchange, client, answers):
    row = answers["positions_with_no"]["market_positions"][0]
    exchange.answers(
        {"cursor": "next", "market_positions": [row]},
        {"cursor": "", "market_positions": [row | {"position_fp": "-2.00"}]},
    )

    (position,) = await client.positions(0)

    assert position.quantity == -2


@pytest.mark.parametrize("last", [{}, {"cursor": None}, {"cursor": ""}], ids=str)
async def test_page_without_a_cursor_is_the_last(exchange, client, answers, last):
    first, second = answers["positions_with_no"]["market_positions"]
    exchange.answers(
        {"cursor": "next", "market_positions": [first]}, {"market_positions": [second]} | last
    )

    assert len(await client.positions(0)) == 2


async def test_empty_page_with_a_cursor_is_not_the_last(exchange, client, answers):
    rows = answers["positions_with_no"]["market_positions"]
    exchange.answers(
        {"cursor": "next", "market_positions": []}, {"cursor": "", "market_positions": rows}
    )

    assert len(await client.positions(0)) == 2


@pytest.mark.parametrize("cursor", [7, {}, "\ud800"], ids=repr)
async def test_cursor_that_is_no_text_is_refused(exchange, client, cursor):
    exchange.answers(httpx.Response(200, text=json.dumps({"cursor": cursor, "fills": []})))

    with pytest.raises(DecodeError, match="fills: cursor"):
        await client.fills(0)


async def test_failure_on_a_later_page_fails_the_list(exchange, client, answers):
    rows = answers["positions_with_no"]["market_positions"]
    exchange.answers({"cursor": "next", "market_positions": rows}, httpx.Response(503))

    with pytest.raises(Unavailable):
        await client.positions(0)


@pytest.mark.parametrize(
    ("status", "query"),
    [
        ("unsettled", {"subaccount": "3", "limit": "1000"}),
        ("settled", {"subaccount": "3", "limit": "1000", "settlement_status": "settled"}),
        ("all", {"subaccount": "3", "limit": "1000", "settlement_status": "all"}),
    ],
)
async def test_positions_are_asked_for_by_settlement(exchange, client, answers, status, query):
    exchange.answers(answers["positions"])

    await client.positions(3, status)

    assert exchange.queries == [query]


async def test_markets_are_asked_for_a_hundred_at_a_time(exchange, client, answers):
    market = answers["markets"]["two_sided"]
    exchange.answers(*[{"cursor": "", "markets": [market]}] * 3)

    markets = await client.markets(f"KX-{number}" for number in range(201))

    assert len(markets) == 3
    assert [query["tickers"].count(",") + 1 for query in exchange.queries] == [100, 100, 1]


async def test_market_named_twice_is_asked_for_once(exchange, client, answers):
    exchange.answers({"markets": [answers["markets"]["two_sided"]]})

    await client.markets(["KXA", "KXB", "KXA"])

    assert [query["tickers"] for query in exchange.queries] == ["KXA,KXB"]


async def test_archived_markets_are_asked_for_by_name_too(exchange, client, answers):
    exchange.answers({"cursor": "", "markets": [answers["markets"]["finalized"]]})

    (market,) = await client.historical_markets(["KXA", "KXB"])

    assert market.status == "finalized"
    assert exchange.requests[0].url.path == "/trade-api/v2/historical/markets"
    assert exchange.queries == [{"tickers": "KXA,KXB", "limit": "1000"}]


async def test_names_of_a_request_that_got_no_answer_are_told(exchange, client, answers):
    exchange.answers(
        {"markets": [answers["markets"]["two_sided"]]}, httpx.Response(429, json={"error": {}})
    )

    markets = await client.markets([f"KX-{number}" for number in range(101)])

    assert len(markets) == 1
    assert markets.left_out == ()
    assert len(markets.unanswered) in (1, 100)


async def test_markets_of_an_event_are_read_to_the_last_page(exchange, client, answers):
    exchange.answers(
        {"cursor": "next", "markets": [answers["markets"]["no_bid"]]},
        {"cursor": "", "markets": [answers["markets"]["empty_book"], {"status": "active"}]},
    )

    markets = await client.markets_of_event("KXE")

    assert len(markets) == 2
    assert [row.kind for row in markets.left_out] == ["market"]
    assert exchange.queries == [
        {"event_ticker": "KXE", "limit": "1000"},
        {"event_ticker": "KXE", "limit": "1000", "cursor": "next"},
    ]


async def test_no_markets_need_no_request(exchange, client):
    assert await client.markets([]) == []
    assert exchange.requests == []


async def test_events_are_asked_for_by_ticker(exchange, client, answers):
    exchange.answers({"events": [answers["event"]], "cursor": ""})

    (event,) = await client.events(["KXNBA-27", "KXNBA-28"])

    assert (event.event_ticker, event.series_ticker) == ("KXNBA-27", "KXNBA")
    assert exchange.requests[0].url.path == "/trade-api/v2/events"
    assert exchange.queries == [{"tickers": "KXNBA-27,KXNBA-28", "limit": "200"}]


async def test_event_that_cannot_be_understood_does_not_cost_the_others(exchange, client, answers):
    exchange.answers({"events": [{"title": "Nameless"}, answers["event"]]})

    events = await client.events(["KXNBA-27"])

    assert [event.event_ticker for event in events] == ["KXNBA-27"]
    assert [row.kind for row in events.left_out] == ["event"]


BATCHED = pytest.mark.parametrize(
    ("ask", "name", "row"),
    [
        pytest.param(Client.markets, "markets", ("markets", "two_sided"), id="markets"),
        pytest.param(Client.events, "events", ("event",), id="events"),
        pytest.param(Client.multivariate_events, "events", ("event",), id="combos"),
    ],
)


def row_of(answers, path):
    for name in path:
        answers = answers[name]
    return answers


@BATCHED
async def test_batches_are_asked_for_at_once_and_told_in_order(
    environment, key, answers, ask, name, row
):
    asked, all_asked = [], asyncio.Event()

    async def answer(request):
        tickers = request.url.params["tickers"].split(",")
        asked.append(len(tickers))
        if len(asked) == 3:
            all_asked.set()
        # Asked one after the other, the first would never be answered.
        await all_asked.wait()
        named = {"ticker": tickers[0], "event_ticker": tickers[0]}
        return httpx.Response(200, json={name: [row_of(answers, row) | named]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(environment, KEY_ID, key, http=http)
        rows = await ask(client, [f"KX-{number}" for number in range(201)])

    assert asked == [100, 100, 1]
    told = [each.ticker if name == "markets" else each.event_ticker for each in rows]
    assert told == ["KX-0", "KX-100", "KX-200"]


@BATCHED
@pytest.mark.parametrize("odd", ["A,B", "KX B", "KX\nB", "", "KX-Ä", "KX&limit=1"], ids=repr)
async def test_ticker_that_cannot_be_asked_for_does_not_spoil_its_batch(
    exchange, client, answers, ask, name, row, odd
):
    exchange.answers({name: [row_of(answers, row)]})

    rows = await ask(client, ["KXA", odd, "KXMVE-S2026.1_B"])

    assert len(rows) == 1
    assert [query["tickers"] for query in exchange.queries] == ["KXA,KXMVE-S2026.1_B"]


async def test_tickers_none_of_which_can_be_asked_for_need_no_request(exchange, client):
    assert await client.events(["A,B"]) == []
    assert exchange.requests == []


async def test_batch_that_fails_ends_the_others(environment, key):
    waiting, ended = asyncio.Event(), []

    async def answer(request):
        if request.url.params["tickers"].endswith("KX-100"):
            await waiting.wait()
            # Not one that is asked for again.
            return httpx.Response(401, json={"error": {"code": "authentication_error"}})
        waiting.set()
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("other")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(environment, KEY_ID, key, http=http)

        async with asyncio.timeout(5):
            with pytest.raises(KeyRefused):
                await client.markets([f"KX-{number}" for number in range(101)])

        assert ended == ["other"]


async def test_event_is_read_without_markets(exchange, client, answers):
    exchange.answers({"event": answers["event"], "markets": []})

    event = await client.event("KXNBA-27")

    assert event.series_ticker == "KXNBA"
    assert exchange.queries == [{"exclude_markets": "true"}]


PERIOD = {
    "ticker": "KXA",
    "since": datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
    "until": datetime(2026, 9, 22, 14, 13, 20, tzinfo=UTC),
}
# A second on either side, as `periods` has it.
PERIOD_QUERY = {
    "subaccount": "0",
    "ticker": "KXA",
    "min_ts": "1789999999",
    "max_ts": "1790086401",
    "limit": "1000",
}


@pytest.mark.parametrize(
    ("ask", "answer", "path", "query"),
    [
        (lambda c: c.limits(), "limits", "/account/limits", {}),
        (lambda c: c.endpoint_costs(), "endpoint_costs", "/account/endpoint_costs", {}),
        (
            lambda c: c.subaccount_balances(),
            "subaccount_balances",
            "/portfolio/subaccounts/balances",
            {},
        ),
        (
            lambda c: c.historical_positions(3),
            "positions",
            "/historical/positions",
            {"subaccount": "3", "limit": "1000"},
        ),
        (lambda c: c.fills(3), "fills", "/portfolio/fills", {"subaccount": "3", "limit": "1000"}),
        (lambda c: c.fills(0, **PERIOD), "fills", "/portfolio/fills", PERIOD_QUERY),
        (lambda c: c.historical_fills(0, **PERIOD), "fills", "/historical/fills", PERIOD_QUERY),
        (
            lambda c: c.settlements(0, **PERIOD),
            "settlements",
            "/portfolio/settlements",
            PERIOD_QUERY,
        ),
        (lambda c: c.deposits(), "deposits", "/portfolio/deposits", {"limit": "500"}),
        (lambda c: c.withdrawals(), "withdrawals", "/portfolio/withdrawals", {"limit": "500"}),
        (
            lambda c: c.subaccount_transfers(),
            "subaccount_transfers",
            "/portfolio/subaccounts/transfers",
            {"limit": "1000"},
        ),
        (
            lambda c: c.exchange_transfers(),
            "exchange_transfers",
            "/portfolio/intra_exchange_instance_transfers",
            {"limit": "500"},
        ),
        (lambda c: c.netting(), "netting", "/portfolio/subaccounts/netting", {}),
        (
            lambda c: c.milestones("KXWTACHALLENGERMATCH-26JUN11JIMLEP"),
            "milestones",
            "/milestones",
            {"related_event_ticker": "KXWTACHALLENGERMATCH-26JUN11JIMLEP", "limit": "100"},
        ),
        (lambda c: c.orderbook("KXA-B"), "orderbook", "/markets/KXA-B/orderbook", {}),
        (
            lambda c: c.orderbook("KXA-B", depth=5),
            "orderbook",
            "/markets/KXA-B/orderbook",
            {"depth": "5"},
        ),
        (lambda c: c.historical_cutoff(), "cutoff", "/historical/cutoff", {}),
        (
            lambda c: c.multivariate_events(["KXMVE-1", "KXMVE-2"]),
            "multivariate_events",
            "/events/multivariate",
            {"tickers": "KXMVE-1,KXMVE-2", "limit": "200"},
        ),
        (lambda c: c.series("KXMLBGAME"), "series", "/series/KXMLBGAME", {}),
        (
            lambda c: c.candlesticks(
                "KXMLBGAME", "KXMLBGAME-1", since=PERIOD["since"], until=PERIOD["until"], minutes=60
            ),
            "candlesticks",
            "/series/KXMLBGAME/markets/KXMLBGAME-1/candlesticks",
            {"start_ts": "1790000000", "end_ts": "1790086400", "period_interval": "60"},
        ),
        (lambda c: c.exchange_schedule(), "schedule", "/exchange/schedule", {}),
        (
            lambda c: c.user_data_timestamp(),
            "user_data_timestamp",
            "/exchange/user_data_timestamp",
            {},
        ),
    ],
)
async def test_call_asks_its_endpoint(exchange, client, answers, ask, answer, path, query):
    exchange.answers(answers[answer])

    told = await ask(client)

    assert told
    assert exchange.requests[0].url.path == "/trade-api/v2" + path
    assert exchange.queries == [query]


async def test_fill_listed_on_two_pages_counts_once(exchange, client, answers):
    fills = answers["fills"]["fills"]
    exchange.answers({"cursor": "next", "fills": fills}, {"cursor": "", "fills": fills[1:]})

    assert len(await client.fills(0)) == 2


async def test_freshness_is_a_time(exchange, client, answers):
    exchange.answers(answers["user_data_timestamp"])

    as_of = await client.user_data_timestamp()

    assert as_of == datetime(2026, 11, 23, 13, 58, 21, 250_000, tzinfo=UTC)


async def test_accounts_own_limits_are_kept_once_read(exchange, environment, key, answers):
    adopted = []

    class Recorder(Pacer):
        def adopt(self, limits):
            adopted.append(limits)

        def adopt_costs(self, costs):
            adopted.append(costs.default)

    exchange.answers(answers["limits"], answers["endpoint_costs"])
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        client = Client(environment, KEY_ID, key, http=http, pacer=Recorder())

        await client.limits()
        await client.endpoint_costs()

    assert adopted == [BASIC, 10]


async def test_requests_wait_their_turn_and_tell_of_refusals(exchange, environment, key, answers):
    now, waits = [100.0], []

    async def sleep(seconds):
        waits.append(round(seconds, 3))
        now[0] += seconds

    pacer = Pacer(monotonic=lambda: now[0], sleep=sleep, jitter=lambda: 1.0)
    exchange.answers(answers["balance"], httpx.Response(429), answers["balance"])
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        client = Client(environment, KEY_ID, key, http=http, pacer=pacer)

        await client.balance(0)
        with pytest.raises(RateLimited):
            await client.balance(0)
        await client.balance(0)

    # A second between two, with a tenth to spare; a tenth of a second more for the 429.
    assert waits == [1.111, 1.211]


async def test_clients_of_one_account_share_its_limits(exchange, environment, key, answers):
    now, waits = [100.0], []

    async def sleep(seconds):
        waits.append(round(seconds, 3))
        now[0] += seconds

    pacer = Pacer(monotonic=lambda: now[0], sleep=sleep)
    exchange.answers(answers["balance"], answers["balance"])
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        await Client(environment, KEY_ID, key, http=http, pacer=pacer).balance(0)
        await Client(environment, KEY_ID, key, http=http, pacer=pacer).balance(0)

    assert waits == [1.111]


async def test_skew_is_unknown_until_an_answer_tells_the_time(exchange, client, answers):
    exchange.answers(answers["balance"])

    before = client.clock_skew
    await client.balance(0)

    assert before is None
    assert client.clock_skew is None


async def test_age_that_has_yet_to_come_is_none(exchange, client):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    exchange.answers({"as_of_time": tomorrow.isoformat()})

    with pytest.raises(DecodeError, match="has yet to come"):
        await client.user_data_timestamp()


async def test_clock_of_errors_and_of_caches_counts_for_nothing_beside_the_exchanges_own(
    exchange, client, answers
):
    status = answers["exchange_status"]
    right = {"Date": "Sun, 23 Nov 2025 12:13:40 GMT"}
    wrong = {"Date": "Sun, 23 Nov 2025 12:10:00 GMT"}
    exchange.answers(
        httpx.Response(503, json=status, headers=wrong),
        httpx.Response(200, json=status, headers=right),
        httpx.Response(503, json=status, headers=wrong),
        httpx.Response(200, json=status, headers=wrong | {"Age": "220"}),
    )
    told = []
    for _ in range(4):
        await client.exchange_status()
        told.append(round(client.clock_skew.total_seconds()))

    assert told == [200, -20, -20, -20]


async def test_clock_of_an_error_about_the_clock_counts(exchange, client, answers):
    right = {"Date": "Sun, 23 Nov 2025 12:13:40 GMT"}
    late = {"Date": "Sun, 23 Nov 2025 12:18:40 GMT"}
    refusal = {"error": {"code": "header_timestamp_expired", "message": "too old"}}
    exchange.answers(
        httpx.Response(200, json=answers["balance"], headers=right),
        httpx.Response(401, json=refusal, headers=late),
    )
    await client.balance(0)

    with pytest.raises(ClockSkew):
        await client.balance(0)

    assert round(client.clock_skew.total_seconds()) == -320


@pytest.mark.parametrize("status", [200, 401, 429, 503])
async def test_skew_is_measured_by_the_first_answer(exchange, client, answers, status):
    # Ours says 12:13:20.1, theirs half past 12:13:40.
    date = {"Date": "Sun, 23 Nov 2025 12:13:40 GMT"}
    exchange.answers(httpx.Response(status, json=answers["exchange_status"], headers=date))

    await client.exchange_status()

    assert abs(client.clock_skew + timedelta(seconds=20.4)) < timedelta(seconds=0.1)


@pytest.mark.parametrize("status", [200, 500, 503, 504])
async def test_status_is_read_from_failures_too(exchange, client, status):
    body = {"exchange_active": False, "trading_active": False}
    exchange.answers(httpx.Response(status, json=body))

    told = await client.exchange_status()

    assert not told.exchange_active


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(503, text="<html>"), Unavailable),
        (httpx.Response(401, json={"error": {"code": "authentication_error"}}), KeyRefused),
        (httpx.Response(200, text="<html>"), DecodeError),
    ],
)
async def test_status_that_is_not_told_is_an_error(exchange, client, response, kind):
    exchange.answers(response)

    with pytest.raises(kind):
        await client.exchange_status()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, TurnedAway), (404, RequestRejected), (429, RateLimited), (502, Unavailable)],
)
async def test_refusals_become_our_errors(exchange, client, status, kind):
    exchange.answers(httpx.Response(status, text="no"))

    with pytest.raises(kind):
        await client.balance(0)


async def test_skewed_clock_is_told_with_the_exchange_time(exchange, client, refusals):
    date = {"Date": "Thu, 11 Jun 2026 06:29:08 GMT"}
    exchange.answers(httpx.Response(401, json=refusals["expired_timestamp"], headers=date))

    with pytest.raises(ClockSkew) as skew:
        await client.balance(0)

    assert f"{skew.value.server_time:%Y-%m-%d %H:%M:%S %Z}" == "2026-06-11 06:29:08 UTC"


async def test_redirect_is_not_followed_even_by_a_client_that_would(exchange, client):
    elsewhere = {"Location": "https://elsewhere.example/trade-api/v2/portfolio/balance"}
    exchange.answers(httpx.Response(307, headers=elsewhere))

    with pytest.raises(Unavailable, match="redirect"):
        await client.balance(0)

    assert len(exchange.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("half an answer"),
        TimeoutError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_network_failure_is_unavailability(environment, key, failure):
    def fail(request):
        raise failure

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        client = Client(environment, KEY_ID, key, http=http)

        with pytest.raises(Unavailable):
            await client.balance(0)


async def test_answer_that_never_ends_times_out(environment, key):
    async def hang(request):
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
        client = Client(environment, KEY_ID, key, http=http, timeout_seconds=0.01)

        with pytest.raises(Unavailable, match="too long"):
            await client.balance(0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"market_positions": 7}'])
async def test_success_with_another_body_is_refused(exchange, client, body):
    exchange.answers(httpx.Response(200, content=body))

    with pytest.raises(DecodeError):
        await client.positions(0)


async def test_errors_hold_neither_key_nor_signature_nor_body(exchange, client):
    exchange.answers(httpx.Response(400, json={"error": {"code": "bad", "message": "hunter2"}}))

    with pytest.raises(RequestRejected) as refusal:
        await client.balance(0)

    (request,) = exchange.requests
    told = f"{refusal.value!r} {refusal.value}"
    assert request.headers["KALSHI-ACCESS-SIGNATURE"] not in told
    assert KEY_ID not in told
    assert "hunter2" not in told


async def test_slash_at_the_end_of_the_base_is_not_doubled(exchange, key, answers):
    environment = Environment("demo", "https://exchange.example/trade-api/v2/", "wss://x.example/")
    exchange.answers(answers["balance"])

    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        await Client(environment, KEY_ID, key, http=http).balance(0)

    assert exchange.requests[0].url.path == "/trade-api/v2/portfolio/balance"


async def test_connections_of_others_stay_open(exchange, environment, key):
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        async with Client(environment, KEY_ID, key, http=http):
            pass

        assert not http.is_closed


async def test_own_connections_are_closed(environment, key):
    async with Client(environment, KEY_ID, key) as client:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        await client.balance(0)


class Stream(httpx.AsyncByteStream):
    """A body that arrives in chunks, and notes how many were taken and whether it was closed."""

    def __init__(self, *chunks, times=1):
        self.chunks = chunks
        self.times = times
        self.taken = 0
        self.is_closed = False

    async def __aiter__(self):
        for _ in range(self.times):
            for chunk in self.chunks:
                self.taken += 1
                yield chunk

    async def aclose(self):
        self.is_closed = True


async def test_only_gzip_is_asked_for(exchange, client, answers):
    exchange.answers(answers["balance"])

    await client.balance(0)

    assert exchange.requests[0].headers["Accept-Encoding"] == "gzip"


async def test_compressed_answer_is_read(exchange, client, answers):
    body = gzip.compress(json.dumps(answers["balance"]).encode())
    stream = Stream(body[:20], body[20:])
    exchange.answers(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream))

    balance = await client.balance(0)

    assert balance.balance == Decimal("98.0186")
    assert stream.is_closed


@pytest.mark.parametrize("status", [200, 401, 403, 404, 503])
async def test_answer_without_an_end_is_given_up(exchange, client, status):
    stream = Stream(bytes(2**20), times=1_000)
    exchange.answers(httpx.Response(status, stream=stream))

    with pytest.raises(AnswerTooLarge, match="too large"):
        await client.positions(0)

    assert stream.taken == 9
    assert stream.is_closed


async def test_answer_that_says_it_is_too_large_is_not_read(exchange, client):
    stream = Stream(b"{}")
    exchange.answers(httpx.Response(200, headers={"Content-Length": "9000000"}, stream=stream))

    with pytest.raises(AnswerTooLarge):
        await client.balance(0)

    assert stream.taken == 0
    assert stream.is_closed


async def test_refusal_is_heeded_whose_answer_is_given_up(exchange, environment, key):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    exchange.answers(
        httpx.Response(429, headers={"Content-Length": "9000000"}, stream=Stream()), {}
    )
    pacer = Pacer(monotonic=lambda: sum(slept), sleep=sleep, jitter=lambda: 1.0)
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        client = Client(environment, KEY_ID, key, http=http, pacer=pacer)
        with pytest.raises(AnswerTooLarge):
            await client.balance(0)

        with pytest.raises(DecodeError):
            await client.balance(0)

    assert slept != []


async def test_compression_that_was_not_asked_for_is_refused(exchange, client):
    exchange.answers(
        httpx.Response(200, headers={"Content-Encoding": "deflate"}, stream=Stream(b"x"))
    )

    with pytest.raises(DecodeError, match="not asked for"):
        await client.balance(0)


def endless(row, name="market_positions"):
    """Answers with one more page each time."""
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, json={name: [row], "cursor": f"page {len(asked)}"})

    return answer, asked


async def test_list_without_an_end_is_given_up(environment, key, answers):
    answer, asked = endless(answers["positions"]["market_positions"][0])
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(environment, KEY_ID, key, http=http, pacer=unhurried())

        with pytest.raises(AnswerTooLarge):
            await client.positions(0)

    assert len(asked) == 1_001


async def test_lists_that_are_read_together_have_one_allowance(environment, key, answers):
    answer, asked = endless(answers["markets"]["determined"] | {"ticker": "KX-1"}, "markets")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(environment, KEY_ID, key, http=http, pacer=unhurried())

        with pytest.raises(AnswerTooLarge):
            await client.markets([f"KX-{number}" for number in range(300)])

    # The last of each group finds nothing left.
    assert len(asked) == 1_003


async def test_list_that_takes_for_ever_is_given_up(environment, key, monkeypatch):
    monkeypatch.setattr("kalshi.transport.LIST_SECONDS", 0.01)
    first_page = asyncio.Event()

    async def answer(request):
        if first_page.is_set():
            await asyncio.Event().wait()
        first_page.set()
        return httpx.Response(200, json={"market_positions": [], "cursor": "next"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(environment, KEY_ID, key, http=http)

        with pytest.raises(Unavailable, match="too long"):
            await client.positions(0)


def unhurried():
    """A pacer whose time passes by waiting alone."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio.sleep(0)

    return Pacer(monotonic=lambda: sum(slept), sleep=sleep)


async def test_cookies_are_not_kept(environment):
    async with connections(environment) as http:
        request = httpx.Request("GET", "https://exchange.example/")
        cookie = {"Set-Cookie": "balancer=x; Path=/; Max-Age=99999"}

        http.cookies.extract_cookies(httpx.Response(200, headers=cookie, request=request))

        assert list(http.cookies.jar) == []
