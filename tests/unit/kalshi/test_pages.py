"""Lists of any length, page by page."""

from contextlib import aclosing
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest

from kalshi.cursors import MOST_EMPTY_PAGES
from kalshi.errors import DecodeError, Unavailable
from kalshi.pacing import Pacer
from kalshi.rest import Client

KEY_ID = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"


class Exchange:
    """Answers each request with the next page and keeps the requests."""

    def __init__(self):
        self.pages = iter(())
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        page = next(self.pages)
        return page if isinstance(page, httpx.Response) else httpx.Response(200, json=page)

    @property
    def queries(self):
        return [dict(request.url.params) for request in self.requests]


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
async def client(exchange, environment, key):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    # Time passes by waiting alone.
    pacer = Pacer(monotonic=lambda: sum(waited), sleep=sleep)
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        yield Client(environment, KEY_ID, key, http=http, pacer=pacer)


@pytest.fixture
def fill(answers):
    """A row of the fills by its id."""
    return lambda trade_id: answers["fills"]["fills"][0] | {"trade_id": trade_id}


def ids(page):
    return [fill.trade_id for fill in page]


async def test_each_page_is_told_by_itself(exchange, client, fill):
    exchange.pages = iter(
        [
            {"cursor": "older", "fills": [fill("c"), fill("b"), {"trade_id": "odd"}]},
            {"cursor": "", "fills": [fill("a")]},
        ]
    )

    pages = [page async for page in client.fill_pages(3, archived=False)]

    assert [*map(ids, pages)] == [["c", "b"], ["a"]]
    assert [row.name for row in pages[0].left_out] == ["odd"]
    assert exchange.queries == [
        {"subaccount": "3", "limit": "1000"},
        {"subaccount": "3", "limit": "1000", "cursor": "older"},
    ]


@pytest.mark.parametrize(
    ("archived", "path"), [(False, "/portfolio/fills"), (True, "/historical/fills")]
)
async def test_archive_has_an_address_of_its_own(exchange, client, fill, archived, path):
    exchange.pages = iter([{"cursor": "", "fills": [fill("a")]}])
    since = datetime(2026, 9, 21, 14, 13, 20, 500_000, tzinfo=UTC)
    until = datetime(2026, 9, 22, 14, 13, 20, 500_000, tzinfo=UTC)

    async for _ in client.fill_pages(0, archived=archived, since=since, until=until):
        pass

    assert exchange.requests[0].url.path == "/trade-api/v2" + path
    assert (exchange.queries[0]["min_ts"], exchange.queries[0]["max_ts"]) == (
        "1789999999",
        "1790086401",
    )


async def test_settlements_are_told_by_the_page(exchange, client, answers):
    first, second = answers["settlements"]["settlements"][:2]
    exchange.pages = iter(
        [{"cursor": "older", "settlements": [first]}, {"settlements": [second], "cursor": None}]
    )

    pages = [page async for page in client.settlement_pages(0)]

    assert [[row.ticker for row in page] for page in pages] == [
        [first["ticker"]],
        [second["ticker"]],
    ]
    assert exchange.requests[0].url.path == "/trade-api/v2/portfolio/settlements"


async def test_list_may_be_longer_than_any_that_is_read_at_once(exchange, client, fill):
    last = 1_100
    exchange.pages = (
        {"cursor": "" if number == last else f"page {number}", "fills": [fill(f"{number}")]}
        for number in range(last + 1)
    )

    told = [
        trade_id async for page in client.fill_pages(0, archived=True) for trade_id in ids(page)
    ]

    assert told == [f"{number}" for number in range(last + 1)]


async def test_page_is_asked_for_when_it_is_wanted(exchange, client, fill):
    exchange.pages = ({"cursor": f"page {number}", "fills": [fill("a")]} for number in count())

    async with aclosing(client.fill_pages(0, archived=False)) as pages:
        await anext(pages)
        await anext(pages)

    assert len(exchange.requests) == 2
    with pytest.raises(StopAsyncIteration):
        await anext(pages)
    assert len(exchange.requests) == 2


async def test_page_without_rows_is_passed_over(exchange, client, fill):
    exchange.pages = iter([{"cursor": "older", "fills": []}, {"cursor": "", "fills": [fill("a")]}])

    assert [ids(page) async for page in client.fill_pages(0, archived=False)] == [["a"]]


async def test_list_without_rows_has_no_pages(exchange, client):
    exchange.pages = iter([{"cursor": "", "fills": []}])

    assert [page async for page in client.fill_pages(0, archived=False)] == []


async def test_pages_that_go_round_are_an_error(exchange, client, fill):
    exchange.pages = ({"cursor": f"page {number % 3}", "fills": [fill("a")]} for number in count())

    with pytest.raises(DecodeError, match="fills lead back"):
        async for _ in client.fill_pages(0, archived=False):
            pass


async def test_empty_pages_without_an_end_are_an_error(exchange, client):
    exchange.pages = ({"cursor": f"page {number}", "fills": []} for number in count())

    with pytest.raises(DecodeError, match="empty without an end"):
        async for _ in client.fill_pages(0, archived=False):
            pass

    assert len(exchange.requests) == MOST_EMPTY_PAGES


async def test_pages_before_a_failure_are_not_lost(exchange, client, fill):
    exchange.pages = iter([{"cursor": "older", "fills": [fill("b")]}, httpx.Response(503)])
    pages = client.fill_pages(0, archived=False)

    assert ids(await anext(pages)) == ["b"]
    with pytest.raises(Unavailable):
        await anext(pages)
