"""A stream has a seat for as long as it lasts, and there are only so many."""

from contextlib import ExitStack

import pytest

from accounts.errors import TooManyStreams
from streaming.web.seats import Seats


def test_session_takes_as_many_seats_as_it_may():
    seats = Seats(per_session=2, total=10)

    with seats.one() as first, seats.one() as second, seats.one() as third:
        first.take("alice")
        second.take("alice")

        with pytest.raises(TooManyStreams, match="This session"):
            third.take("alice")
        third.take("bob")


def test_all_sessions_together_take_as_many_as_there_are():
    seats = Seats(per_session=2, total=3)

    with ExitStack() as streams:
        for _ in range(3):
            streams.enter_context(seats.one())

        with pytest.raises(TooManyStreams, match="This server"), seats.one():
            pass


def test_stream_that_ended_leaves_its_seat_to_the_next():
    seats = Seats(per_session=1, total=1)

    for _ in range(3):
        with seats.one() as seat:
            seat.take("alice")

    assert seats.taken == 0
    assert seats.of_session == {}


def test_refused_stream_leaves_the_seats_of_others_alone():
    seats = Seats(per_session=1, total=2)

    with seats.one() as first:
        first.take("alice")
        with pytest.raises(TooManyStreams), seats.one() as second:
            second.take("alice")

        assert seats.taken == 1
        assert seats.of_session == {"alice": 1}
