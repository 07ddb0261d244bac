"""
Logs are events with fields: one line each, the fields behind the message as key=value.

Much of what is logged comes from whoever sends a request. It can neither begin a line of its own
nor make a terminal do anything, and what a query holds is kept out.
"""

import logging
import re
from types import TracebackType
from typing import TypeAlias

from django.http import HttpRequest

# What every record carries; anything else came in through `extra` and is a field of the event.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}
_WORD = re.compile(r"[^\s'\"]+")
# Of one message, field or line of a traceback: a request may put 64 KB into each.
LONGEST = 2000

_ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class EventFormatter(logging.Formatter):
    """`2026-11-23T12:00:00Z INFO streaming.worker: account claimed account=7`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        """One line, with a traceback below it, indented, where there is one."""
        fields = "".join(
            _field(name, value) for name, value in record.__dict__.items() if name not in _STANDARD
        )
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


class NoTraceback(logging.Filter):
    """For what any stranger can make the server say: a line is enough, its place is known."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def _field(name: str, value: object) -> str:
    if isinstance(value, HttpRequest):
        # Its repr has the query, where a link's token may stand.
        return f" path={_fit(value.path)}"
    return f" {_fit(name)}={_fit(str(value))}"


def _indented(text: str) -> str:
    return "\n".join(f"  {_printable(_cut(line))}" for line in text.split("\n"))


def _fit(text: str) -> str:
    """The text as it may stand in a line: cut, without queries, without control characters."""
    # Word by word: one pattern over all of it would take a time that grows with its square.
    return _printable(_WORD.sub(_without_query, _cut(text)))


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
