"""The exchange's answers as text, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, time
from decimal import Decimal

_HIDDEN = "\N{REPLACEMENT CHARACTER}"


def as_json(answer: object) -> str:
    """
    Values as JSON: objects by field, decimals and times as strings.

    Decimals keep the digits that they came with.
    """
    return json.dumps(_plain(answer), indent=2, ensure_ascii=False)


def as_table(answer: object) -> str:
    """
    Values as aligned columns: a row for each of several, a line for each field of a single one.

    Control characters are replaced: names are the exchange's, and a terminal obeys some of them.
    """
    match answer:
        case [] | ():
            return "none"
        case list() | tuple() if all(map(_is_record, answer)):
            return _rows(answer)
        case _ if _is_record(answer):
            return _record(answer)
        case _:
            return _text(answer)


def _rows(records: Sequence[object]) -> str:
    names = _names(records[0])
    cells = [[_text(getattr(record, name)) for name in names] for record in records]
    return _aligned([names, *cells])


def _record(record: object) -> str:
    values = {name: getattr(record, name) for name in _names(record)}
    tables = {name: value for name, value in values.items() if _is_table(value)}
    lines = [[name, _text(value)] for name, value in values.items() if name not in tables]
    parts = [_aligned(lines)] if lines else []
    parts += [f"{name}\n{as_table(value)}" for name, value in tables.items()]
    return "\n\n".join(parts)


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and _is_record(value[0])


def _names(record: object) -> list[str]:
    # The check is for the type checker: only records come here.
    return [field.name for field in fields(record)] if is_dataclass(record) else []


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case time():
            return f"{value:%H:%M}"
        case tuple():
            return " ".join(map(_text, value))
        case _ if _is_record(value):
            return "-".join(_text(getattr(value, name)) for name in _names(value))
        case _:
            return "".join(sign if sign.isprintable() else _HIDDEN for sign in str(value))


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime() | time():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case _ if _is_record(value):
            return {name: _plain(getattr(value, name)) for name in _names(value)}
        case _:
            return value
