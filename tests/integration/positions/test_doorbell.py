"""What a doorbell carries is what stands in the rows, to the last digit."""

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from positions import documents, doorbell, pnl, reading
from positions.doorbell import Carried, Doorbell
from positions.models import Market, Position
from positions.pnl import MarketState
from positions.portfolio import Cash, Changes, EventFacts, Worth
from positions.writing import TakenOver
from tests.integration.positions.conftest import (
    LIVE,
    LOST,
    SECOND_WORKER,
    hold,
    open,
    stream_of,
    write,
)
from tests.integration.positions.test_writing import COUNTS, HELD, MONEY
from tests.told import at, fill, market, position, prices, quote

pytestmark = pytest.mark.django_db(transaction=True)


def last(announced) -> Doorbell:
    channel, payload = announced()[-1]
    assert channel == "account_changed"
    return doorbell.heard(payload)


def markets() -> dict[int, Market]:
    return Market.objects.in_bulk()


def assert_is_in_the_rows(carried: Carried | None, account) -> None:
    assert carried is not None
    stream = stream_of(account)
    assert carried.seq == stream.seq
    assert carried.portfolio == documents.portfolio_document(account.pk, stream)
    assert carried.connection == reading.connection_of(stream)
    rows = Position.objects.of(account.pk).filter(seq=carried.seq).order_by("market__ticker")
    assert carried.positions == [documents.position_document(row) for row in rows]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=HELD,
    balance=MONEY,
    sizes=st.tuples(st.none() | COUNTS, st.none() | COUNTS),
    day_pnl=st.none() | st.decimals("-9999999", "9999999", places=9),
    unreadable=st.sampled_from([None, "position", "market"]),
)
def test_whatever_was_written_comes_as_it_was_stored(
    opened, account, announced, held, balance, sizes, day_pnl, unreadable
):
    held = replace(
        held,
        quote=replace(held.quote, yes_bid_size=sizes[0], yes_ask_size=sizes[1]),
        day_pnl=day_pnl,
        unreadable=unreadable,
        held_at=at(0.5),
    )
    sums = pnl.sums_of([(held.holding, held.figures)], "mid")
    cash = Cash(balance, balance, at(1.000001))
    worth = Worth(balance + sums.positions_value, None, day_pnl, at(1))
    of_it = Changes((held,), (), frozenset(), sums, cash, at(2), left_out=("odd",), worth=worth)
    opened.writer.write(of_it, LIVE, at(3))

    seq = opened.writer.write(replace(of_it, left_out=None), LIVE, at(4.5))

    rung = last(announced)
    assert (rung.account_id, rung.epoch, rung.seq) == (account.pk, 1, seq)
    assert_is_in_the_rows(rung.carried(markets()), account)


def test_how_the_connection_stands_comes_along(opened, account, announced):
    hold(opened, 1)
    write(opened.writer, opened.tracker, connection=LOST)

    carried = last(announced).carried({})
    assert_is_in_the_rows(carried, account)
    assert carried.positions == []


def test_nothing_comes_before_there_are_sums(opened, announced):
    write(opened.writer, opened.tracker)
    write(opened.writer, opened.tracker, connection=LOST)

    assert last(announced).carried({}) is None


def test_what_another_release_carries_must_be_read():
    assert doorbell.heard('7:1:2:[{"seq":2},null]') == Doorbell(7, 1, 2, "")
    assert doorbell.heard("7:1:2:00000000:[]") == Doorbell(7, 1, 2, "")


def test_a_position_in_a_market_that_is_not_known_must_be_read(opened, announced):
    hold(opened, 1)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    write(opened.writer, opened.tracker)

    assert last(announced).carried({}) is None


def test_position_whose_market_has_its_title_by_now_must_be_read(opened, announced):
    hold(opened, 1)
    known = markets()
    (market,) = known.values()

    opened.tracker.describe({market.event_ticker: EventFacts("S", "Who wins it all?")})
    write(opened.writer, opened.tracker)

    assert last(announced).carried(known) is None


def test_what_is_too_long_must_be_read(opened, account, announced):
    hold(opened, 60)
    for number in range(60):
        opened.tracker.apply_ticker(prices(f"M{number:03}", 1), 200.0)

    seq = write(opened.writer, opened.tracker)

    assert announced()[-1] == ("account_changed", f"{account.pk}:1:{seq}")
    assert Position.objects.filter(seq=seq).count() == 60


def test_what_is_as_long_as_can_be_comes(opened, account, announced):
    hold(opened, 60)
    carrying = 0
    for some in range(1, 60):
        for number in range(some):
            opened.tracker.apply_ticker(prices(f"M{number:03}", some), 200.0)
        write(opened.writer, opened.tracker)
        carried = last(announced).carried(markets())
        if carried is None:
            break
        assert_is_in_the_rows(carried, account)
        carrying = len(carried.positions)

    assert carrying >= 12


@pytest.mark.parametrize("characters", [40, 41, 42, 43, 44, 45, 46])
def test_nothing_comes_that_is_longer_than_a_notification(opened, account, announced, characters):
    hold(opened, 12)
    tickers = [f"M{number:03}" for number in range(12)]
    status = MarketState("ß" * characters)
    told = {ticker: (market(ticker)[0], status, quote()) for ticker in tickers}
    opened.tracker.apply_markets(told, 150.0)
    write(opened.writer, opened.tracker)
    carrying = []
    for some in range(1, 13):
        for ticker in tickers[:some]:
            opened.tracker.apply_ticker(prices(ticker, some), 200.0)
        write(opened.writer, opened.tracker)

        _, payload = announced()[-1]
        assert len(payload) <= doorbell.LONGEST_BYTES
        if doorbell.heard(payload).carries:
            carrying.append(some)

    # With so long a word in each, twelve are too long.
    assert carrying == list(range(1, len(carrying) + 1))
    assert 1 <= len(carrying) < 12


def test_closing_is_read_as_more_is_written_than_the_flush(opened, account, announced):
    hold(opened, 2)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    opened.tracker.apply_fill(fill("M001", "0"), 200.0)
    opened.tracker.apply_position(position("M001", "0"), 200.0)

    write(opened.writer, opened.tracker)

    assert Position.objects.of(account.pk).open().count() == 1
    assert last(announced).carries == ""


def test_within_a_transaction_more_may_follow_so_nothing_comes(opened, account, announced):
    hold(opened, 1)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)

    with transaction.atomic():
        seq = write(opened.writer, opened.tracker)

    assert announced()[-1] == ("account_changed", f"{account.pk}:1:{seq}")


def test_whoever_was_overtaken_rings_nothing(opened, account, announced):
    open(account, worker_id=SECOND_WORKER)
    announced()

    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)

    assert announced() == []


@pytest.mark.parametrize("payload", ["", "1", "1:2", "one:2:3", "not three numbers"])
def test_what_is_no_doorbell_is_refused(payload):
    with pytest.raises(ValueError, match=r"not enough values|invalid literal"):
        doorbell.heard(payload)
