"""What a doorbell carries is what stands in the rows, to the last digit."""

import pytest
from django.db import transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings

from positions import doorbell
from positions.doorbell import Carried, Doorbell
from positions.models import Market, Position
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
from tests.integration.positions.test_writing import HELD, MONEY
from tests.told import at, prices

pytestmark = pytest.mark.django_db(transaction=True)


def last(announced) -> Doorbell:
    channel, payload = announced()[-1]
    assert channel == "account_changed"
    return doorbell.heard(payload)


def markets() -> dict[int, Market]:
    return Market.objects.in_bulk()


def columns(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def assert_is_in_the_rows(carried: Carried | None, account) -> None:
    assert carried is not None
    assert columns(carried.stream) == columns(stream_of(account))
    rows = Position.objects.of(account.pk).filter(seq=carried.stream.seq).order_by("market__ticker")
    assert [columns(row) for row in carried.positions] == [columns(row) for row in rows]
    assert [row.market for row in carried.positions] == [row.market for row in rows]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=HELD, balance=MONEY)
def test_whatever_was_written_comes_as_it_was_stored(opened, account, announced, held, balance):
    cash = Cash(balance, balance, at(1.000001))
    worth = Worth(None, None, -balance, at(1))
    of_it = Changes((held,), (), frozenset(), None, cash, None, worth=worth)
    opened.writer.write(of_it, LIVE, at(3))

    seq = opened.writer.write(of_it, LIVE, at(4.5))

    rung = last(announced)
    assert (rung.account_id, rung.epoch, rung.seq) == (account.pk, 1, seq)
    assert_is_in_the_rows(rung.carried(markets()), account)


def test_how_the_connection_stands_comes_along(opened, account, announced):
    write(opened.writer, opened.tracker)
    write(opened.writer, opened.tracker, connection=LOST)

    carried = last(announced).carried({})
    assert_is_in_the_rows(carried, account)
    assert carried.positions == []


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

    # Ten or eleven, by how many digits the ids have by now.
    assert carrying >= 8


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
