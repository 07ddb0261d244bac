"""
What the calls have in common: refusals, the parts of a query, and pages.

A query that the exchange would refuse raises `Rejected` with the status and the body it answers.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from sandbox.wire import Json

Query = Mapping[str, str]
Row = TypeVar("Row")

_DEFAULT_LIMIT = 100
_MAXIMUM_LIMIT = 1000


class Rejected(Exception):
    """An answer other than 200: its status and its body."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.body = body


def error(code: str, message: str, details: str | None = None) -> Json:
    """The body of most refusals."""
    inner = {"code": code, "message": message}
    return {"error": inner if details is None else {**inner, "details": details}}


def unavailable() -> Rejected:
    return Rejected(503, error("service_unavailable", "service unavailable"))


def too_many_requests() -> Rejected:
    return Rejected(429, {"error": "too many requests"})


def bad_request(details: str) -> Rejected:
    return Rejected(400, error("bad_request", "bad request", details))


def not_found() -> Rejected:
    return Rejected(404, error("not_found", "not found"))


def forbidden(details: str) -> Rejected:
    return Rejected(403, error("forbidden", "forbidden", details))


# Parts of a query


class Parameters(Mapping[str, str]):
    """
    What a call was asked with.

    The documents know two kinds of lists: one value with commas, and a parameter that is repeated.
    Each call reads its own, and where one value is meant several are refused.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        values = self._values[name]
        if len(values) > 1:
            raise bad_request(f"multiple values for {name}")
        return values[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def repeated(self, name: str) -> list[str]:
        """The values of a parameter that is given once for each; none when there is none."""
        return [each for each in self._values.get(name, ()) if each]


def limit(
    query: Query,
    operation: str,
    *,
    minimum: int = 1,
    maximum: int = _MAXIMUM_LIMIT,
    default: int = _DEFAULT_LIMIT,
    tags: Sequence[str] = ("gte", "lte"),
) -> int:
    """How many rows a page has; where 0 is allowed it stands for the default."""
    asked = integer(query, "limit")
    if asked is None:
        return default
    if minimum <= asked <= maximum:
        return asked or default
    tag = tags[0] if asked < minimum else tags[1]
    raise Rejected(
        400,
        {
            "msg": f"Parameter validation failed for {operation}: "
            f"Key: '{operation}Params.Limit' "
            f"Error:Field validation for 'Limit' failed on the '{tag}' tag"
        },
    )


def integer(query: Query, name: str) -> int | None:
    """A number, None when there is none."""
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f"invalid {name}") from None


def required(query: Query, name: str) -> int:
    """A number that must be there."""
    number = integer(query, name)
    if number is None:
        raise bad_request(f"missing {name}")
    return number


def flag(query: Query, name: str) -> bool:
    return query.get(name) == "true"


def names(query: Query, name: str) -> frozenset[str]:
    """A list with commas; empty when there is none."""
    return frozenset(each for each in query.get(name, "").split(",") if each)


def word(query: Query, name: str, known: Sequence[str]) -> str | None:
    """One of the words a filter knows, None when it is not given."""
    value = query.get(name) or None
    if value is not None and value not in known:
        raise bad_request(f"invalid {name} filter")
    return value


def is_within(timestamp: float, earliest: int | None, latest: int | None) -> bool:
    """Whether Unix seconds are no earlier and no later than two that may be left open."""
    return (earliest is None or timestamp >= earliest) and (latest is None or timestamp <= latest)


# Pages


def page(
    rows: Sequence[Row], key: Callable[[Row], str], query: Query, size: int, *, newest: bool = False
) -> tuple[list[Row], str]:
    """
    The rows of one page, and the cursor of the next; empty when it is the last.

    Args:
        rows: all of them, in the order of their key.
        newest: the order is descending.
    """
    after = cursor(query)
    left = [row for row in rows if not after or (key(row) < after if newest else key(row) > after)]
    shown = left[:size]
    return shown, cursor_after(key(shown[-1])) if len(left) > size else ""


def cursor_after(last: str) -> str:
    return base64.urlsafe_b64encode(f"after {last}".encode()).decode()


def cursor(query: Query) -> str:
    """The last row of the page before; empty for none, and for a cursor that is none of ours."""
    try:
        text = base64.urlsafe_b64decode(query.get("cursor", "")).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.removeprefix("after ") if text.startswith("after ") else ""
