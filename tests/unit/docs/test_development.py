"""The worked examples of `docs/development.md` name what is there, so that they can be followed."""

import re

import pytest

from tests import reading

DOCUMENT = "docs/development.md"
MARK = reading.section(DOCUMENT, "worked-change-how-the-mark-is-chosen")
FIELD = reading.section(DOCUMENT, "worked-add-a-field-from-the-exchange-to-the-table")
# The tables of where a field passes: file, place in it, what to do there.
PLACES = [
    (file.strip("`"), place)
    for file, there, _ in reading.rows(FIELD)
    for place in reading.code(there)
]
# In prose: `mark_of` in `positions/pnl.py`, or the file first and what is in it in brackets.
NAMED = [
    (file, name)
    for name, file in re.findall(r"`(\w+)`\s+in\s+`([\w/.]+\.(?:py|js))`", MARK + FIELD)
]


@pytest.mark.parametrize(("file", "name"), PLACES + NAMED)
def test_place_is_there(file, name):
    if file.endswith((".py", ".js")):
        assert name in reading.names(file)
    else:
        assert name in reading.text(file)


def test_every_file_that_changes_is_there():
    files = {row[0].strip("`") for row in reading.rows(FIELD)}

    assert len(files) == 17
    assert files <= set(reading.files())


def test_places_are_found():
    assert len(NAMED) > 6
    assert ("positions/pnl.py", "mark_of") in NAMED


def test_lines_that_are_replaced_stand_as_they_are_shown():
    replaced = re.findall(r"^ +-( .+)$", MARK, re.MULTILINE)
    stands = reading.text("positions/pnl.py")

    assert len(replaced) == 2
    assert "\n".join(line[1:] for line in replaced) in re.sub(r"^ ", "", stands, flags=re.M)
    assert "\nZERO = " in stands
