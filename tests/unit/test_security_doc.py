"""`docs/security.md` names a test for each threat: those tests are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
TEXT = (TESTS.parent / "docs" / "security.md").read_text()
# Such as `integration/accounts/test_admin.py`, alone or with `::test_name`; or a name alone.
FILES = sorted(set(re.findall(r"`([\w/]+\.py)(?:::\w+)?`", TEXT)))
NAMES = sorted(set(re.findall(r"`(?:[\w/]+\.py::)?((?:test_|Test)\w+|complaints)`", TEXT)))
SOURCES = "\n".join(path.read_text() for path in TESTS.rglob("*.py"))


@pytest.mark.parametrize("file", FILES)
def test_file_is_there(file):
    assert any(str(path).endswith(f"/{file}") for path in TESTS.rglob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_test_is_there(name):
    assert re.search(rf"(?:def|class) {name}\b", SOURCES)


def test_every_threat_names_what_holds_it():
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|$", TEXT, re.MULTILINE)

    assert len(rows) > 25
    assert all("test" in row.lower() or row == "held by" for row in rows)
