from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox import keys
from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange
from tests.integration.sandbox.client import get
from tests.unit.sandbox.published import answer


async def get_unsigned(sandbox: Sandbox, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(sandbox.api_base + path)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/api_keys", "GetApiKeysResponse"),
        ("/portfolio/balance", "GetBalanceResponse"),
        ("/portfolio/positions?limit=1000", "GetPositionsResponse"),
        ("/portfolio/fills?limit=1000", "GetFillsResponse"),
        ("/markets?limit=1000", "GetMarketsResponse"),
        ("/exchange/status", "ExchangeStatus"),
        ("/portfolio/subaccounts/transfers", "GetSubaccountTransfersResponse"),
        ("/portfolio/subaccounts/netting", "GetSubaccountNettingResponse"),
        (
            "/portfolio/intra_exchange_instance_transfers",
            "GetIntraExchangeInstanceTransfersResponse",
        ),
        ("/milestones?limit=500", "GetMilestonesResponse"),
    ],
)
async def test_every_answer_has_the_published_shape(
    sandbox: Sandbox, path: str, shape: str
) -> None:
    response = await get(sandbox, path)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    answer(response.json(), shape)


async def test_every_event_has_the_published_shape(sandbox: Sandbox) -> None:
    urls = [f"{sandbox.api_base}/events/{ticker}" for ticker in sandbox.exchange.events]

    async with httpx.AsyncClient() as client:
        responses = [await client.get(url) for url in urls]

    assert len(responses) > 10
    for response in responses:
        answer(response.json(), "GetEventResponse")


async def test_more_events_than_a_page_holds_are_found_by_their_tickers(
    credentials: Credentials,
) -> None:
    async with running_exchange(
        credentials=credentials, positions=270, events_apart=True
    ) as sandbox:
        combos = {each.ticker for each in sandbox.exchange.events.values() if each.is_multivariate}
        plain = sandbox.exchange.events.keys() - combos
        asked = ",".join(sorted(plain))
        first = await get_unsigned(sandbox, f"/events?limit=200&tickers={asked}")
        cursor = first.json()["cursor"]
        second = await get_unsigned(sandbox, f"/events?limit=200&tickers={asked}&cursor={cursor}")
        other = await get_unsigned(
            sandbox, f"/events/multivariate?limit=200&tickers={','.join(combos)}"
        )

    pages = [
        answer(first.json(), "GetEventsResponse")["events"],
        answer(second.json(), "GetEventsResponse")["events"],
        answer(other.json(), "GetMultivariateEventsResponse")["events"],
    ]
    assert [len(page) for page in pages] == [200, len(plain) - 200, len(combos)]
    assert len(plain) >= 230
    assert [row["event_ticker"] for row in pages[0] + pages[1]] == sorted(plain)
    assert {row["event_ticker"] for row in pages[2]} == combos
    assert second.json()["cursor"] == ""


@pytest.mark.parametrize("path", ["/events", "/events/multivariate"])
async def test_tickers_choose_events_of_their_own_list_alone(sandbox: Sandbox, path: str) -> None:
    everything = (await get_unsigned(sandbox, path)).json()["events"]
    chosen = [everything[0]["event_ticker"], everything[-1]["event_ticker"]]

    response = await get_unsigned(sandbox, f"{path}?tickers={','.join(chosen)},NONE")
    too_many = await get_unsigned(sandbox, f"{path}?limit=201")

    assert [row["event_ticker"] for row in response.json()["events"]] == chosen
    assert too_many.status_code == 400


async def test_single_market_has_the_published_shape(sandbox: Sandbox) -> None:
    ticker = next(iter(sandbox.exchange.markets))

    response = await get_unsigned(sandbox, f"/markets/{ticker}")

    assert answer(response.json(), "GetMarketResponse")["market"]["ticker"] == ticker


async def test_order_books_are_asked_for_one_by_one_or_several_at_once(sandbox: Sandbox) -> None:
    first, second, *_ = sorted(sandbox.exchange.markets)

    one = await get_unsigned(sandbox, f"/markets/{first}/orderbook?depth=3")
    several = await get_unsigned(sandbox, f"/markets/orderbooks?tickers={first}&tickers={second}")

    book = answer(one.json(), "GetMarketOrderbookResponse")["orderbook_fp"]
    assert len(book["yes_dollars"]) == 3
    rows = answer(several.json(), "GetMarketOrderbooksResponse")["orderbooks"]
    assert [row["ticker"] for row in rows] == [first, second]
    assert rows[0]["orderbook_fp"]["no_dollars"][-3:] == book["no_dollars"]


async def test_lists_have_commas_or_are_repeated_as_the_documents_say(sandbox: Sandbox) -> None:
    first, second, *_ = sorted(sandbox.exchange.markets)

    books = await get_unsigned(sandbox, f"/markets/orderbooks?tickers={first},{second}")
    markets = await get_unsigned(sandbox, f"/markets?tickers={first}&tickers={second}")

    assert books.json() == {"orderbooks": []}
    assert markets.status_code == 400


async def test_some_events_have_a_milestone_before_they_close(sandbox: Sandbox) -> None:
    rows = (await get_unsigned(sandbox, "/milestones?limit=500")).json()["milestones"]

    starts = {row["related_event_tickers"][0]: row["start_date"] for row in rows}
    assert 0 < len(starts) < len(sandbox.exchange.events)
    assert all(
        datetime.fromisoformat(start) < market.close_time
        for event, start in starts.items()
        for market in sandbox.exchange.markets_of(event)
    )


async def test_balance_may_be_in_whole_cents(credentials: Credentials) -> None:
    async with running_exchange(
        credentials=credentials, positions=5, precision=Decimal("0.01")
    ) as sandbox:
        balance = (await get(sandbox, "/portfolio/balance")).json()

    assert balance["balance_dollars"].endswith("00")
    assert Decimal(balance["balance_dollars"]) * 100 == balance["balance"]


async def test_demonstration_key_may_only_read(sandbox: Sandbox) -> None:
    response = await get(sandbox, "/api_keys")

    (key,) = response.json()["api_keys"]
    assert (key["api_key_id"], key["scopes"]) == (sandbox.key_id, ["read"])


async def test_ed25519_key_signs_too(sandbox: Sandbox) -> None:
    credentials = keys.new_ed25519()
    sandbox.add_key(credentials, scopes=("read", "write"))

    response = await get(sandbox, "/portfolio/balance", credentials)

    assert response.status_code == 200


async def test_second_account_holds_nothing_of_the_first(sandbox: Sandbox) -> None:
    charlies = keys.new_ed25519()
    sandbox.add_key(charlies, account=sandbox.open_account())

    positions = await get(sandbox, "/portfolio/positions", charlies)
    balance = await get(sandbox, "/portfolio/balance", charlies)

    assert positions.json()["market_positions"] == []
    assert balance.json()["balance_dollars"] == "1000.0000"


def authentication_error(details: str) -> dict[str, Any]:
    code = "authentication_error"
    return {"error": {"code": code, "message": code, "details": details}}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (
            {"kalshi_access_signature": ""},
            {
                "error": {
                    "code": "signature_is_missing_from_headers",
                    "message": "signature is missing from headers",
                }
            },
        ),
        (
            {"kalshi_access_signature": "AAAA"},
            authentication_error("INCORRECT_API_KEY_SIGNATURE"),
        ),
        (
            {"kalshi_access_key": "00000000-0000-0000-0000-000000000000"},
            authentication_error("NOT_FOUND"),
        ),
        (
            {"kalshi_access_timestamp": "1"},
            {
                "error": {
                    "code": "header_timestamp_expired",
                    "message": "header timestamp expired",
                }
            },
        ),
    ],
    ids=["no signature", "wrong signature", "unknown key", "old timestamp"],
)
async def test_refused_signature_has_the_recorded_body(
    sandbox: Sandbox, headers: dict[str, str], body: dict[str, Any]
) -> None:
    response = await get(sandbox, "/portfolio/balance", **headers)

    assert response.status_code == 401
    assert response.json() == body


async def test_clock_of_the_exchange_decides_and_is_told(credentials: Credentials) -> None:
    def an_hour_ahead() -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)

    async with running_exchange(credentials=credentials, clock=an_hour_ahead) as sandbox:
        response = await get(sandbox, "/portfolio/balance")

    told = parsedate_to_datetime(response.headers["Date"])
    assert response.json()["error"]["code"] == "header_timestamp_expired"
    assert told - datetime.now(UTC) > timedelta(minutes=59)


async def test_market_data_needs_no_signature_but_a_wrong_one_is_refused(
    sandbox: Sandbox,
) -> None:
    unsigned = await get_unsigned(sandbox, "/markets?limit=1")
    wrong = await get(sandbox, "/markets?limit=1", kalshi_access_signature="AAAA")

    assert unsigned.status_code == 200
    assert wrong.status_code == 401


async def test_unknown_route_is_plain_text(sandbox: Sandbox) -> None:
    response = await get(sandbox, "/portfolio")

    assert response.status_code == 404
    assert response.text.strip() == "404 page not found"
    assert response.headers["content-type"].startswith("text/plain")


async def test_refusing_exchange_still_tells_its_status(sandbox: Sandbox) -> None:
    sandbox.is_refusing = True
    sandbox.exchange.exchange_active = False
    sandbox.exchange.resume_time = datetime(2026, 11, 26, 10, tzinfo=UTC)

    refused = await get(sandbox, "/portfolio/balance")
    status = await get_unsigned(sandbox, "/exchange/status")

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "service_unavailable"
    told = answer(status.json(), "ExchangeStatus")
    assert (told["exchange_active"], told["trading_active"]) == (False, False)
    assert told["exchange_estimated_resume_time"] == "2026-11-26T10:00:00Z"
