"""Every threat in `docs/security.md` names a test that holds what stands in its way."""

import ast
import json
import re

import pytest

from tests import reading

DOCUMENT = "docs/security.md"
# Of the two tables that list threats, by the last cell.
HELD = [row for row in reading.rows(reading.text(DOCUMENT)) if len(row) == 3 and "`" in row[2]]
NAMED = re.compile(r"^([\w/]+\.(?:py|js))::(\w+)$")


def held_by(row: list[str]) -> list[str]:
    return [part for part in reading.code(row[2]) if "/" in part or "::" in part]


@pytest.mark.parametrize("row", HELD, ids=lambda row: row[0][:50])
def test_threat_is_held_by_tests_that_are_there(row):
    tests = held_by(row)

    assert tests
    for test in tests:
        path, name = NAMED.match(test).groups()
        source = reading.text(f"tests/{path}")
        # A test of JavaScript is known by its file alone.
        assert re.search(rf"(?:def|class) {name}\b", source), test


def test_every_threat_has_a_row():
    rows = reading.rows(reading.text(DOCUMENT))

    assert len(HELD) > 40
    assert [row for row in rows if len(row) == 3 and row not in HELD] == []


def test_nothing_but_get_is_asked_of_the_exchange():
    said = {
        node.value
        for path in reading.files()
        if path.startswith("kalshi/") and path.endswith(".py")
        for node in ast.walk(ast.parse(reading.text(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert said & {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} == {"GET"}


def test_every_package_is_installed_by_its_hash():
    installing = [
        line
        for path in ("Makefile", "Dockerfile")
        for line in reading.text(path).splitlines()
        if re.search(r"\bpip install\b", line)
    ]
    # uv writes the pins; nothing of it is in the product.
    unpinned = [line for line in installing if "--require-hashes" not in line]

    assert len(installing) > 4
    assert [line.split()[-1] for line in unpinned] == ["uv"]
    # npm takes nothing but what the lock names, by the hashes in it.
    assert set(re.findall(r"\$\(NPM\) (\w+)", reading.text("Makefile"))) == {"ci"}
    packages = json.loads(reading.text("package-lock.json"))["packages"]
    assert all("integrity" in each for name, each in packages.items() if name)
