import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.cursors import MOST_EMPTY_PAGES, Trail
from kalshi.errors import DecodeError


def walk(cursors, *, is_empty=False):
    """How many cursors can be followed."""
    trail, steps = Trail("fills"), 0
    for cursor in cursors:
        trail.follow(cursor, is_empty=is_empty)
        steps += 1
    return steps


@given(st.integers(0, 200), st.integers(1, 200))
def test_circle_is_found_within_three_times_the_way(tail, circle):
    most = 3 * (tail + circle)
    # Into the circle after some pages, and round until it is found.
    places = [*range(tail), *(tail + step % circle for step in range(most))]

    with pytest.raises(DecodeError, match="fills lead back"):
        walk(f"page {place}" for place in places[: most + 1])


@given(st.lists(st.text(min_size=1), unique=True, max_size=300))
def test_list_that_names_each_page_once_has_an_end(cursors):
    assert walk(cursors) == len(cursors)


def test_page_that_names_itself_is_found_at_once():
    with pytest.raises(DecodeError):
        walk(["same", "same"])


def test_empty_pages_without_an_end_are_refused():
    cursors = [f"page {number}" for number in range(MOST_EMPTY_PAGES)]

    assert walk(cursors[:-1], is_empty=True) == MOST_EMPTY_PAGES - 1
    with pytest.raises(DecodeError, match="fills are empty without an end"):
        walk(cursors, is_empty=True)


def test_page_with_rows_begins_the_count_of_empty_ones_anew():
    trail = Trail("fills")

    for number in range(3 * MOST_EMPTY_PAGES):
        trail.follow(f"page {number}", is_empty=bool(number % MOST_EMPTY_PAGES))
