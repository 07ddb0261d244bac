"""At rest every place says the same, and what the exchange's own state amounts to."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest
from playwright.async_api import Page, expect

from positions.models import AccountStream, Position
from postgres.threads import DatabaseThread
from sandbox.server import Sandbox, running_exchange
from tests.e2e.contract_figures import expected
from tests.e2e.visitor import sign_in
from tests.waiting import PATIENCE_SECONDS, until

POSITION_COLUMNS = [
    "quantity",
    "average_price",
    "exposure",
    "mark",
    "market_value",
    "unrealized_pnl",
    "unrealized_pnl_percent",
    "realized_pnl",
    "fees_paid",
    "net_pnl",
    "break_even_price",
    "payout",
]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """All kinds of positions: both sides, fractions, fine grids, an empty book, never quoted."""
    async with running_exchange(positions=50, updates_per_minute=0) as exchange:
        yield exchange


@pytest.fixture
async def database() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread()
    yield thread
    await thread.close()


async def test_page_rest_stream_and_database_equal_the_exchange_to_the_last_digit(
    page, product, sandbox, database
):
    await sign_in(page, product)
    stir(sandbox)
    cookies = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
    async with httpx.AsyncClient(
        base_url=product, cookies=cookies, timeout=PATIENCE_SECONDS
    ) as client:
        await until(lambda: has_settled(client, sandbox))
        positions, portfolio = expected(sandbox)

        in_rest = await rest(client)
        in_stream = await stream(client)
    in_database = await database.run(rows)
    # The page may be a moment behind; of one flush it draws the sums with the positions.
    total_value = page.locator("portfolio-summary-bar data[data-field=total_value]")
    await expect(total_value).to_have_attribute("value", portfolio["total_value"])
    on_page = await shown(page, positions)

    assert len(positions) == 50
    assert subset(in_rest, positions, portfolio) == (positions, portfolio)
    assert subset(in_stream, positions, portfolio) == (positions, portfolio)
    assert on_page == (positions, portfolio)
    assert in_database == (
        {
            ticker: {name: its[name] for name in POSITION_COLUMNS}
            for ticker, its in positions.items()
        },
        portfolio["total_value"],
    )


def stir(sandbox: Sandbox) -> None:
    """Move prices of every kind of market, and trade both ways in some."""
    for _ in range(200):
        sandbox.step()
    for ticker, held in list(sandbox.account.portfolios[0].positions.items())[:6]:
        quote = sandbox.exchange.markets[ticker].tape.quote
        if quote.has_bid and quote.has_ask:
            own = "yes" if held.quantity > 0 else "no"
            other = "no" if own == "yes" else "yes"
            sandbox.fill(ticker, own, Decimal("3.07"), quote.yes_ask)
            sandbox.fill(ticker, other, Decimal("1.5"), quote.yes_bid)


async def has_settled(client: httpx.AsyncClient, sandbox: Sandbox) -> bool:
    answer = (await client.get("/api/v1/account/portfolio")).json()
    _, portfolio = expected(sandbox)
    return all(
        text(answer[name]) == portfolio[name] for name in ("cash", "total_value", "fees_paid")
    )


async def rest(client: httpx.AsyncClient) -> tuple[list[dict], dict]:
    positions = (await client.get("/api/v1/account/positions")).json()["positions"]
    return positions, (await client.get("/api/v1/account/portfolio")).json()


async def stream(client: httpx.AsyncClient) -> tuple[list[dict], dict]:
    async with client.stream("GET", "/sse/positions") as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                snapshot = json.loads(line.removeprefix("data: "))
                return snapshot["positions"], snapshot["portfolio"]
    raise AssertionError("the stream ended without a snapshot")


def subset(told: tuple[list[dict], dict], positions: dict, portfolio: dict) -> tuple[dict, dict]:
    """Of what was told the figures that are expected, in the same form."""
    rows, sums = told
    return (
        {
            row["ticker"]: {name: text(row[name]) for name in positions[row["ticker"]]}
            for row in rows
        },
        {name: text(sums[name]) for name in portfolio},
    )


def text(figure: str | int | None) -> str:
    return "" if figure is None else str(figure)


def rows() -> tuple[dict, str]:
    """The columns themselves, written with no code of the product's."""
    positions = {
        row["market__ticker"]: {name: digits(row[name]) for name in POSITION_COLUMNS}
        for row in Position.objects.exclude(quantity=0).values("market__ticker", *POSITION_COLUMNS)
    }
    return positions, digits(AccountStream.objects.get().total_value)


def digits(value: Decimal | None) -> str:
    if value is None:
        return ""
    return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


async def shown(page: Page, positions: dict) -> tuple[dict, dict]:
    """The values of the page's figures: each position's card and detail, and the summary bar."""
    figures = {}
    for ticker, its in positions.items():
        await page.evaluate("ticker => { location.hash = `#/position/${ticker}`; }", ticker)
        await page.locator("position-detail", has_text=ticker).wait_for()
        # In one turn: what is not known yet may come for both of them between two.
        on_card, in_detail = await values(
            page, f"position-card[data-ticker='{ticker}']", "position-detail"
        )
        assert on_card.items() <= in_detail.items()
        figures[ticker] = {name: in_detail[name] for name in its}
    (bar,) = await values(page, "portfolio-summary-bar")
    return figures, {name: bar[name] for name in expected_on_bar(bar)}


def expected_on_bar(bar: dict) -> list[str]:
    # What depends on when it was looked at, or is the exchange's own.
    others = {
        *("day_pnl", "day_pnl_since", "cash_as_of", "reconciled_at"),
        "exchange_portfolio_value",
    }
    return [name for name in bar if name not in others]


async def values(page: Page, *elements: str) -> list[dict[str, str]]:
    return await page.evaluate(
        "selectors => selectors.map(selector => Object.fromEntries("
        "[...document.querySelector(selector).querySelectorAll('data[data-field]')]"
        ".map(node => [node.dataset.field, node.getAttribute('value')])))",
        elements,
    )
