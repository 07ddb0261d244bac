"""Rows and frames with something odd, as a client meets them."""

from typing import Any

import pytest

from sandbox.commands import perform
from sandbox.server import Sandbox
from tests.integration.sandbox.client import connect, get, receive, subscribe


@pytest.mark.parametrize(
    ("path", "rows", "name", "field"),
    [
        ("/markets", "markets", "ticker", "close_time"),
        ("/portfolio/positions", "market_positions", "ticker", "position_fp"),
        ("/portfolio/positions", "event_positions", "event_ticker", "total_cost_dollars"),
        ("/portfolio/fills", "fills", "trade_id", "count_fp"),
        ("/events", "events", "event_ticker", "title"),
        ("/api_keys", "api_keys", "api_key_id", "scopes"),
    ],
)
@pytest.mark.parametrize("value", [None, "", -1, "0.1234567890123", {"a": [True]}], ids=str)
async def test_one_row_of_a_list_is_odd_and_the_others_are_not(
    sandbox: Sandbox, path: str, rows: str, name: str, field: str, value: Any
) -> None:
    before = (await get(sandbox, path)).json()[rows]
    odd = before[-1]

    await perform(
        sandbox, {"do": "spoil", "path": path, "row": odd[name], "field": field, "value": value}
    )
    after = (await get(sandbox, path)).json()[rows]

    assert after == [*before[:-1], {**odd, field: value}]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/portfolio/balance", "balance_dollars"),
        ("/account/limits", "usage_tier"),
        ("/exchange/status", "trading_active"),
        ("/exchange/user_data_timestamp", "as_of_time"),
    ],
)
async def test_answer_itself_lacks_a_field_as_often_as_asked(
    sandbox: Sandbox, path: str, field: str
) -> None:
    await perform(
        sandbox, {"do": "spoil", "path": path, "field": field, "value": "absent", "times": 1}
    )

    answers = [(await get(sandbox, path)).json() for _ in range(2)]

    assert [field in answer for answer in answers] == [False, True]


async def test_frame_of_one_market_is_odd_until_all_goes_well_again(sandbox: Sandbox) -> None:
    held = list(sandbox.account.portfolios[0].positions)[:2]
    snapshot = {"market_tickers": held, "send_initial_snapshot": True}
    await perform(sandbox, {"do": "spoil", "path": "/ws", "row": held[0], "field": "price_dollars"})

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", **snapshot)
        odd, usual = [await socket.recv(), await receive(socket)]
    await perform(sandbox, {"do": "clear"})
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", **snapshot)
        well = await receive(socket)

    assert '"price_dollars":null' in str(odd)
    assert usual["msg"]["market_ticker"] == held[1]
    assert well["msg"]["market_ticker"] == held[0]
