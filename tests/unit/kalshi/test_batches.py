"""What can be had of many names is had, whatever the exchange thinks of some."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi import batches
from kalshi.batches import NAMES_PER_REQUEST, read_by_name
from kalshi.errors import (
    AnswerTooLarge,
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TurnedAway,
    Unavailable,
)


class Exchange:
    """Fails on some names; lists the others."""

    def __init__(self, *failing: str, error: Exception | None = None) -> None:
        self.failing = set(failing)
        self.error = error or ServerFailed("no")
        self.asked: list[Sequence[str]] = []

    async def __call__(self, names: Sequence[str]) -> list[object]:
        self.asked.append(names)
        if self.failing & set(names):
            raise self.error
        return list(names)


def names(count: int) -> list[str]:
    return [f"KX-{number:03}" for number in range(count)]


async def test_names_are_asked_for_a_hundred_at_a_time():
    exchange = Exchange()

    read = await read_by_name(exchange, names(230))

    assert read.values == names(230)
    assert [len(each) for each in exchange.asked] == [100, 100, 30]


async def test_nothing_is_asked_for_no_names():
    exchange = Exchange()

    assert (await read_by_name(exchange, [])).values == []
    assert exchange.asked == []


@pytest.mark.parametrize(
    "error", [ServerFailed("no"), RequestRejected(400), DecodeError("?")], ids=repr
)
@pytest.mark.parametrize("failing", [["KX-000"], ["KX-099"], ["KX-017", "KX-061"]], ids=str)
async def test_name_that_the_exchange_fails_on_costs_no_other(error, failing):
    exchange = Exchange(*failing, error=error)

    read = await read_by_name(exchange, names(250))

    assert sorted(read.values) == sorted(set(names(250)) - set(failing))
    # An answer that makes no sense says nothing of the name.
    makes_sense = not isinstance(error, DecodeError)
    assert read.refused.keys() == (set(failing) if makes_sense else set())
    assert read.unanswered == (set() if makes_sense else set(failing))


@pytest.mark.parametrize("error", [RateLimited(), TurnedAway(403), AnswerTooLarge()], ids=repr)
async def test_request_that_failed_for_another_reason_costs_no_other(error):
    exchange = Exchange("KX-150", error=error)

    read = await read_by_name(exchange, names(250))

    assert read.values == names(100) + names(250)[200:]
    assert read.refused == {}
    assert read.unanswered == set(names(200)[100:])
    assert len(exchange.asked) == 3


async def test_search_ends_where_each_failure_takes_long(monkeypatch):
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(batches, "monotonic", lambda: next(now))
    exchange = Exchange("KX-000")

    read = await read_by_name(exchange, names(100))

    # The first half failed as well, after twenty seconds; the other is not given up for it.
    assert [len(each) for each in exchange.asked] == [100, 50, 50]
    assert (read.values, read.refused) == (names(100)[50:], {})
    assert read.unanswered == set(names(50))


@pytest.mark.parametrize("error", [ServerFailed("no"), Unavailable("away"), RateLimited()])
async def test_exchange_that_answers_nothing_is_told_as_such_and_soon(error):
    exchange = Exchange(*names(100), error=error)

    with pytest.raises(type(error)):
        await read_by_name(exchange, names(100))

    assert len(exchange.asked) <= 13


async def test_refused_key_is_no_matter_of_names():
    with pytest.raises(KeyRefused):
        await read_by_name(Exchange("KX-000", error=KeyRefused("no")), names(250))


@pytest.mark.parametrize("name", ["A,B", "A B", "", "Ä", "A&limit=1"])
async def test_name_that_cannot_be_asked_for_is_left_out(name):
    exchange = Exchange()

    read = await read_by_name(exchange, ["KX-000", name, "KX-001"])

    assert read.values == ["KX-000", "KX-001"]


@given(st.sets(st.integers(0, 249), max_size=40))
async def test_requests_are_bounded_whatever_fails(failing):
    exchange = Exchange(*(f"KX-{number:03}" for number in failing))

    try:
        read = await read_by_name(exchange, names(250))
    except ServerFailed:
        return

    assert not set(read.values) & exchange.failing
    assert sorted([*read.values, *read.refused, *read.unanswered]) == names(250)
    batches = -(-250 // NAMES_PER_REQUEST)
    # Thirty until the search ends, and those that it had in its line by then.
    assert len(exchange.asked) <= batches * 62
