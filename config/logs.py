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
# In the address of another page, which Django's refusal of a form quotes.
_QUERY = re.compile(r"(://[^\s'\"?]*)\?[^\s'\"]*")

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
        copy.msg, copy.args = _printable(_QUERY.sub(r"\1", record.getMessage() + fields)), ()
        # Another formatter may have left its own text of the traceback.
        copy.exc_text = None
        return super().format(copy)

    def formatException(self, ei: _ExceptionInfo) -> str:  # logging's name
        """The traceback; indented, so that no message in it can pass for an event."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # logging's name
        """As a traceback."""
        return _indented(super().formatStack(stack_info))


def _field(name: str, value: object) -> str:
    if isinstance(value, HttpRequest):
        # Its repr has the query, where a link's token may stand.
        return f" path={value.path}"
    return f" {name}={value}"


def _indented(text: str) -> str:
    return "\n".join(f"  {_printable(line)}" for line in text.split("\n"))


def _printable(text: str) -> str:
    """The text with line breaks, control characters and the like spelled out."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
