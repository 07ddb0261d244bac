"""The documents of this repository as tests read them: links, headings, and what they name."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Made by a test of its own, row for row.
GENERATED = {"docs/who-may-see-what.md"}
# What is not read, beside what is hidden: others' packages, and what the product makes.
_FOREIGN = {"node_modules", "var", "__pycache__"}

_LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_TABLE_ROW = re.compile(r"^\|(.+)\|$")
_DEFINED = re.compile(
    r"^\s*(?:export\s+)?(?:(?:async\s+)?(?:def|class|function)|const|let)\s+(\w+)"
    r"|^\s*(\w+)(?::[^=\n]+)?\s*[=(:]|@typedef \{\w+\} (\w+)",
    re.MULTILINE,
)


@cache
def files() -> tuple[str, ...]:
    """Every file of the repository, by its path from the root."""
    return tuple(sorted(_below(ROOT)))


def _below(folder: Path) -> list[str]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name not in _FOREIGN and not entry.name.startswith("."):
                found += _below(entry)
        else:
            found.append(entry.relative_to(ROOT).as_posix())
    return found


def documents() -> list[str]:
    """All that is written for people, by its path from the root."""
    return [path for path in files() if path.endswith(".md")]


@cache
def text(path: str) -> str:
    """What a file says."""
    return (ROOT / path).read_text()


def links(document: str) -> list[str]:
    """Where its links and pictures lead, as they are written."""
    return _LINK.findall(_CODE.sub("", text(document)))


def anchors(document: str) -> set[str]:
    """The names by which its headings can be linked to, as GitHub makes them."""
    return {anchor(heading) for heading in _HEADING.findall(text(document))}


def anchor(heading: str) -> str:
    """The name of one heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")


def section(document: str, name: str) -> str:
    """What stands below the heading with this anchor, up to the next one of its level or above."""
    lines = text(document).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("#") and anchor(line.lstrip("#").strip()) == name:
            level = len(line) - len(line.lstrip("#"))
            end = re.compile(rf"#{{1,{level}}} ")
            rest = lines[number + 1 :]
            length = next((i for i, each in enumerate(rest) if end.match(each)), len(rest))
            return "\n".join(rest[:length])
    raise LookupError(f"{document} has no heading #{name}")


def code(passage: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(passage)


def rows(passage: str) -> list[list[str]]:
    """The rows of its tables as cells, without heads and rules; a bar that is escaped is none."""
    found: list[list[str]] = []
    previous_is_row = False
    for line in passage.splitlines():
        match = _TABLE_ROW.match(line)
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", match[1])] if match else []
        if cells and all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            if previous_is_row:
                found.pop()
        elif cells:
            found.append(cells)
        previous_is_row = bool(cells)
    return found


def is_there(name: str) -> bool:
    """Whether a file of that name, or of a path that ends so, is in the repository."""
    return any(path == name or path.endswith(f"/{name}") for path in files())


def names(path: str) -> set[str]:
    """What a file of Python or JavaScript defines: functions, classes, types, values, fields."""
    return {name for pair in _DEFINED.findall(text(path)) for name in pair if name}
