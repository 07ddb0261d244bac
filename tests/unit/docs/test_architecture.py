"""What `docs/architecture.md` calls pure does no I/O, and every package is in it."""

import ast
import re

import pytest

from tests import reading

DOCUMENT = reading.text("docs/architecture.md")
IO = {"django", "httpx", "websockets", "psycopg", "asyncio", "aiohttp", "socket", "subprocess"}
# Where the files of a list lie, by its heading; elsewhere their path is written out.
FOLDERS = {"the-worker": "streaming/worker/"}
PURE = [
    FOLDERS.get(heading, "") + file
    for heading in ("the-worker", "money-with-a-memory", "the-door")
    for file in re.findall(
        r"^ +([\w/]+\.py).*\(pure\)$",
        reading.section("docs/architecture.md", heading),
        re.MULTILINE,
    )
]


def imported(path: str) -> set[str]:
    """The packages whose names a file imports, but for its types."""
    packages = set()
    for node in ast.walk(ast.parse(reading.text(path))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.partition(".")[0])
    return packages


@pytest.mark.parametrize("path", PURE)
def test_what_is_called_pure_does_no_io(path):
    assert imported(path) & IO == set()


def test_pure_files_are_found():
    assert len(PURE) > 12


def test_every_package_of_ours_is_told():
    packages = {
        path.partition("/")[0] for path in reading.files() if path.endswith("/__init__.py")
    } - {"tests", "benchmarks", "config"}
    table = {row[0].partition("/")[0].strip("`") for row in reading.rows(DOCUMENT)}

    assert packages <= table
