from datetime import datetime, timedelta

import pytest

from sandbox.clock import MarketClock


class World:
    """A clock that is put forward by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_clock_of_speed_one_is_the_worlds(now: datetime) -> None:
    world = World(now)
    clock = MarketClock(world)

    world.now += timedelta(hours=1)

    assert clock.now() == world.now


def test_faster_clock_goes_on_from_where_it_was(now: datetime) -> None:
    world = World(now)
    clock = MarketClock(world, speed=60)

    world.now += timedelta(minutes=1)
    after_a_minute = clock.now()
    clock.set_speed(2)
    world.now += timedelta(minutes=1)

    assert after_a_minute == now + timedelta(hours=1)
    assert clock.now() == now + timedelta(hours=1, minutes=2)


def test_skipped_time_is_gone(now: datetime) -> None:
    clock = MarketClock(World(now))

    clock.skip(timedelta(days=2))

    assert clock.now() == now + timedelta(days=2)


def test_clock_waits_at_a_moment_until_it_is_told_of_a_later_one(now: datetime) -> None:
    world = World(now)
    clock = MarketClock(world, speed=3600)

    clock.wait_at(now + timedelta(hours=2))
    world.now += timedelta(seconds=10)
    waiting = clock.now()
    clock.wait_at(now + timedelta(hours=3))
    world.now += timedelta(seconds=0.5)
    going_on = clock.now()
    clock.wait_at(None)
    world.now += timedelta(seconds=1)

    assert waiting == now + timedelta(hours=2)
    assert going_on == now + timedelta(hours=2.5)
    assert clock.now() == now + timedelta(hours=3.5)


def test_clock_that_is_put_to_a_moment_stands_there(now: datetime) -> None:
    world = World(now)
    clock = MarketClock(world)

    clock.go_to(now + timedelta(days=3))
    world.now += timedelta(days=9)

    assert clock.now() == now + timedelta(days=3)


def test_stopped_clock_waits_where_it_was_stopped(now: datetime) -> None:
    world = World(now)
    clock = MarketClock(world, speed=60)

    world.now += timedelta(minutes=1)
    stopped = clock.stop()
    world.now += timedelta(minutes=1)
    waiting = clock.now()
    clock.wait_at(None)
    world.now += timedelta(minutes=1)

    assert stopped == waiting == now + timedelta(hours=1)
    assert clock.now() == now + timedelta(hours=2)


def test_jump_goes_past_the_moment_it_would_wait_at(now: datetime) -> None:
    clock = MarketClock(World(now))
    clock.wait_at(now + timedelta(hours=1))

    clock.skip(timedelta(hours=5))

    assert clock.now() == now + timedelta(hours=5)


def test_clock_neither_stops_nor_goes_back(now: datetime) -> None:
    clock = MarketClock(World(now))

    with pytest.raises(ValueError, match="fall behind"):
        clock.set_speed(0.5)
    with pytest.raises(ValueError, match="does not go back"):
        clock.skip(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="does not go back"):
        clock.wait_at(now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="does not go back"):
        clock.go_to(now - timedelta(seconds=1))
