from datetime import UTC, datetime, timedelta
from unittest.mock import create_autospec

import pytest

from kalshi.calls import CALLS, Question
from kalshi.rest import Client

# What is no call of its own. The pages are those of the lists.
NOT_ASKED = {"close", "clock_skew", "outage", "fill_pages", "settlement_pages"}
NAMES = {"MARKET…": "KXM", "EVENT": "KXE", "EVENT…": "KXE", "SERIES": "KXS", "MARKET": "KXM"}


@pytest.fixture
def client():
    return create_autospec(Client, instance=True)


async def test_every_call_of_the_client_can_be_asked(client):
    for call in CALLS.values():
        await call.ask(client, Question(tuple(NAMES[operand] for operand in call.operands)))

    methods = {name for name in vars(Client) if not name.startswith("_")} - NOT_ASKED
    asked = {name for name in methods if getattr(client, name).await_count}
    assert asked == methods


async def test_limits_of_the_question_reach_the_client(client):
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

    await CALLS["fills"].ask(client, Question((), 3, "KXA", since, until))

    client.fills.assert_awaited_once_with(3, ticker="KXA", since=since, until=until)


async def test_chart_without_a_start_is_of_a_week(client):
    until = datetime(2026, 2, 8, tzinfo=UTC)

    await CALLS["candlesticks"].ask(client, Question(("KXS", "KXM"), until=until, minutes=1440))

    client.candlesticks.assert_awaited_once_with(
        "KXS", "KXM", since=until - timedelta(days=7), until=until, minutes=1440
    )


@pytest.mark.parametrize(
    ("call", "names", "takes"),
    [
        ("balance", (), True),
        ("balance", ("KXA",), False),
        ("event", (), False),
        ("event", ("KXA",), True),
        ("event", ("KXA", "KXB"), False),
        ("markets", (), False),
        ("markets", ("KXA", "KXB"), True),
        ("candlesticks", ("KXS",), False),
        ("candlesticks", ("KXS", "KXM"), True),
    ],
)
def test_call_takes_the_names_it_needs(call, names, takes):
    assert CALLS[call].takes(names) is takes
