"""
What went wrong in this process, counted by its kind: every warning and error of the log.

So whatever is told is counted, without a second line beside it. Of our own loggers the message is
the kind: it is a constant, and what varies is in the fields. Others may write anything into theirs.
"""

import logging
from collections import Counter
from typing import NamedTuple

OURS = frozenset({"accounts", "config", "kalshi", "ledger", "positions", "postgres", "streaming"})
# A program has so many places; the rest would be a mistake, which must not fill the memory.
MOST_KINDS = 500


class Kind(NamedTuple):
    """
    One kind of trouble.

    Attributes:
        event: the message of one of ours, else empty.
        error: the class of the exception that is told with it, else empty.
    """

    level: str
    logger: str
    event: str
    error: str


OTHERS = Kind("", "", "others", "")

counted: Counter[Kind] = Counter()


class Counted(logging.Handler):
    """Counts records; logging calls one handler from one thread at a time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        kind = _kind(record)
        counted[kind if kind in counted or len(counted) < MOST_KINDS else OTHERS] += 1


def _kind(record: logging.LogRecord) -> Kind:
    is_ours = record.name.partition(".")[0] in OURS
    return Kind(
        record.levelname,
        record.name,
        str(record.msg) if is_ours else "",
        _error(record),
    )


def _error(record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[0]:
        return record.exc_info[0].__name__
    # As our lines tell it: a class's name. A sentence is of no kind.
    told = str(record.__dict__.get("error", ""))
    return told if told.isidentifier() else ""
