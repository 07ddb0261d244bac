"""
Logs are events with fields: one line each, for people as key=value, for programs as JSON.

Much of what is logged comes from whoever sends a request. It can neither begin a line of its own
nor make a terminal do anything. What a query holds is kept out, what looks like a secret, and the
rows that PostgreSQL quotes in its errors.
"""

import json
import logging
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeAlias

from django.http import HttpRequest

from accounts import log_context
from config.revealing import hidden

# What every record carries; anything else came in through `extra` and is a field of the event.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}
_WORD = re.compile(r"[^\s'\"]+")
# `DETAIL:  Failing row contains (…)`, or a key's values: of as many lines as they have.
_QUOTED_ROW = re.compile(r"(DETAIL: )(?:(?!\n(?:\s*\n|CONTEXT:|HINT:)).)*", re.DOTALL)
# Of one message, field or line of a traceback: a request may put 64 KB into each.
LONGEST = 2000
# Of a list: those of an account's markets may be thousands.
_MOST_ITEMS = 100

_ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class EventFormatter(logging.Formatter):
    """`2026-11-23T12:00:00Z INFO streaming.worker: account claimed account=7`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        """One line, with a traceback below it, indented, where there is one."""
        fields = "".join(_field(name, value) for name, value in _fields(record))
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = _fit(record.getMessage()) + fields, ()
        # Another formatter may have left its own text of the traceback.
        copy.exc_text = None
        return super().format(copy)

    def formatException(self, ei: _ExceptionInfo) -> str:  # logging's name
        """The traceback; indented, so that no message in it can pass for an event."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # logging's name
        """As a traceback."""
        return _indented(super().formatStack(stack_info))


class JsonFormatter(logging.Formatter):
    """
    The same as one JSON object a line: time (UTC), level, logger, message, then the fields.

    `severity` repeats the level, by the name that Google's log collector looks for. A traceback is
    the text `traceback`, a stack the text `stack`; numbers and booleans stay what they are.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "severity": record.levelname,
            "logger": record.name,
            "message": _fit(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0]:
            told["traceback"] = _lines(self.formatException(record.exc_info))
        if record.stack_info:
            told["stack"] = _lines(record.stack_info)
        for name, value in _fields(record):
            # What the line says of itself no field can say otherwise.
            told.setdefault(_fit(name), _value(value))
        return json.dumps(told, ensure_ascii=False)


class NoTraceback(logging.Filter):
    """For what any stranger can make the server say: a line is enough, its place is known."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """Those of the event, then what is known from where it was logged and not said by itself."""
    for name, value in record.__dict__.items():
        if name not in _STANDARD:
            yield name, value
    for name, value in log_context.fields().items():
        if name not in record.__dict__:
            yield name, value


def _field(name: str, value: object) -> str:
    if isinstance(value, HttpRequest):
        # Its repr has the query, where a link's token may stand.
        return f" path={_fit(value.path)}"
    return f" {_fit(name)}={_fit(str(value))}"


def _value(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case HttpRequest():
            return _fit(value.path)
        case list() | tuple():
            return [_value(each) for each in value[:_MOST_ITEMS]]
        case _:
            return _fit(str(value))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in _lines(text).split("\n"))


def _lines(text: str) -> str:
    # Over all of them, as a key has many.
    safe = _safe("\n".join(_cut(line) for line in text.split("\n")))
    return "\n".join(_printable(line) for line in safe.split("\n"))


def _fit(text: str) -> str:
    """The text as it may stand in a line: cut, safe, without control characters."""
    return _printable(_safe(_cut(text)))


def _safe(text: str) -> str:
    """The text without queries, rows and what looks like a secret."""
    # Word by word: one pattern over all of it would take a time that grows with its square.
    return hidden(_WORD.sub(_without_query, _QUOTED_ROW.sub(r"\1…", text)))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _without_query(word: re.Match[str]) -> str:
    """An address as in another page's, which Django's refusal of a form quotes."""
    address, _, rest = word[0].partition("://")
    return f"{address}://{rest.partition('?')[0]}" if rest else word[0]


def _printable(text: str) -> str:
    """The text with line breaks, control characters and the like spelled out."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
