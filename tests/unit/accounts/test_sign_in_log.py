import pytest

from accounts.sign_in_log import FirstOfItsKind


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def first(clock) -> FirstOfItsKind:
    return FirstOfItsKind(window_seconds=10, capacity=2, clock=clock)


def test_first_of_each_kind_passes_and_no_other(first):
    passed = [first.passes(kind) for kind in ("a", "a", "b", "a", "b")]

    assert passed == [True, False, True, False, False]


def test_kind_passes_again_after_the_window(first, clock):
    first.passes("a")
    clock.seconds = 5
    first.passes("b")
    clock.seconds = 10

    passed = [first.passes(kind) for kind in ("a", "b", "a")]

    assert passed == [True, False, False]


def test_no_more_kinds_pass_in_a_window_than_are_remembered(first):
    passed = [first.passes(kind) for kind in range(1000)]

    assert sum(passed) == 2
