"""Whom the launcher's guardian takes for alive."""

import pytest

from streaming.launcher.guardian import living


@pytest.mark.parametrize(
    ("notes", "left"),
    [
        pytest.param([], set(), id="nothing was started"),
        pytest.param(["+7\n", "+8\n"], {7, 8}, id="all live"),
        pytest.param(["+7\n", "+8\n", "-7\n"], {8}, id="one ended"),
        pytest.param(["+7\n", "-7\n", "+9\n"], {9}, id="one was started again"),
        pytest.param(["+7\n", "-7\n", "+7\n"], {7}, id="its number was given out again"),
        pytest.param(["-7\n"], set(), id="it ended before it could note itself down"),
        pytest.param(["+7\n", "+7\n", "-7\n"], set(), id="a second guardian was told twice"),
    ],
)
def test_who_is_left_follows_from_the_notes(notes, left):
    assert living(notes) == left
