"""What the README promises is tested, measured, or said to be untested."""

import re

import pytest

from tests import reading

PROMISES = re.split(r"^- ", reading.section("README.md", "what-it-promises"), flags=re.MULTILINE)[
    1:
]
FIRST_SCREEN = reading.text("README.md").split("\n## ")[0]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda text: text.split("**")[1])
def test_promise_names_what_shows_it(promise):
    shown = [
        part
        for part in reading.code(promise)
        if (part.startswith("tests/") and part in reading.files()) or part.startswith("make bench")
    ]

    assert shown or "untested" in promise


def test_first_screen_has_two_commands_and_pictures():
    assert re.findall(r"^    (make \w+) ", FIRST_SCREEN, re.MULTILINE) == ["make demo", "make run"]
    assert {"docs/dashboard.png", "docs/phone.png"} <= set(reading.links("README.md"))
    assert len(FIRST_SCREEN.splitlines()) < 30
