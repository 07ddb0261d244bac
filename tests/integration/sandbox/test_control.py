"""The control page does what is asked of it, by those who may."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox import scenarios
from sandbox.control import running_control
from sandbox.server import Sandbox
from tests.waiting import PATIENCE_SECONDS, until


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_control(sandbox) as address,
        httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/control.js", "text/javascript"), ("/control.css", "text/css")],
)
async def test_page_is_three_files_without_anything_inline(
    page: httpx.AsyncClient, path: str, kind: str
) -> None:
    response = await page.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["content-security-policy"].startswith("default-src 'self'")


async def test_command_is_carried_out_and_shows(page: httpx.AsyncClient, sandbox: Sandbox) -> None:
    before = sandbox.account.portfolios[0].cash

    done = await page.post("/commands", json={"do": "deposit", "dollars": "25"})
    state = (await page.get("/state")).json()

    assert done.status_code == 200
    assert sandbox.account.portfolios[0].cash == before + 25
    assert state["ledger"][0]["kind"] == "deposit"
    assert len(state["markets"]) == len(sandbox.exchange.markets)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "that is no JSON"),
        (b"[]", "a command is an object"),
        (b'{"do": "close"}', "market is missing"),
    ],
)
async def test_what_cannot_be_done_is_told(
    page: httpx.AsyncClient, body: bytes, message: str
) -> None:
    response = await page.post(
        "/commands", content=body, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 400
    assert response.json() == {"error": message}


async def is_done(page: httpx.AsyncClient) -> bool:
    return (await page.get("/state")).json()["playing"] == "revoked_key: done"


async def test_scenario_is_played(page: httpx.AsyncClient, sandbox: Sandbox) -> None:
    before = sandbox.private_key

    started = await page.post("/scenarios/revoked_key", json={})
    unknown = await page.post("/scenarios/none", json={})

    assert (started.status_code, unknown.status_code) == (200, 404)
    await until(lambda: is_done(page))
    state = (await page.get("/state")).json()
    assert state["scenarios"] == scenarios.names()
    assert sandbox.private_key != before


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "rebound.example:80"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
async def test_foreign_page_can_do_nothing(
    page: httpx.AsyncClient, sandbox: Sandbox, headers: dict[str, str]
) -> None:
    before = sandbox.account.portfolios[0].cash
    usual = {"Content-Type": "application/json"}

    response = await page.post(
        "/commands", content=b'{"do": "deposit", "dollars": 25}', headers={**usual, **headers}
    )

    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    assert sandbox.account.portfolios[0].cash == before


async def test_own_page_may(page: httpx.AsyncClient) -> None:
    origin = str(page.base_url).rstrip("/")

    response = await page.post(
        "/commands",
        json={"do": "drop"},
        headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"},
    )

    assert response.status_code == 200


async def test_link_from_another_page_leads_to_it_and_to_nothing_else(
    page: httpx.AsyncClient,
) -> None:
    followed = {
        "Sec-Fetch-Site": "same-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }

    answers = [
        await page.get("/", headers=followed),
        await page.get("/", headers={**followed, "Sec-Fetch-Dest": "iframe"}),
        await page.get("/state", headers=followed),
    ]

    assert [each.status_code for each in answers] == [200, 403, 403]


async def test_exchange_itself_has_no_control(page: httpx.AsyncClient, sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(base_url=sandbox.api_base.removesuffix("/trade-api/v2")) as client:
        answers = [await client.get("/state"), await client.post("/commands", json={"do": "drop"})]

    assert [each.status_code for each in answers] == [404, 404]
