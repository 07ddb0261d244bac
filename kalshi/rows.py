"""
The rows of an answer: those that can be understood, and the others by name.

One odd row must not cost the rest, and must not pass unnoticed either.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from kalshi.errors import DecodeError
from kalshi.fields import Fields

T = TypeVar("T")

# With so many that can't be understood, it is the answer that can't: each is kept and told by name.
MAXIMUM_LEFT_OUT = 1_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    A row that can't be understood.

    Attributes:
        kind: what it is a row of, such as "position".
        name: its ticker or id, if at least that can be read.
        reason: the field at fault, never its content.
    """

    kind: str
    name: str | None
    reason: str


class Rows(list[T]):
    """
    A list of what was understood.

    Attributes:
        left_out: tells of the rest.
        unanswered: of a list asked for by name, the names whose requests failed while others got
            their answer. Whether the exchange has them is not known.
    """

    def __init__(
        self,
        rows: Iterable[T] = (),
        left_out: Iterable[LeftOut] = (),
        unanswered: Iterable[str] = (),
    ) -> None:
        super().__init__(rows)
        self.left_out: tuple[LeftOut, ...] = tuple(left_out)
        self.unanswered: frozenset[str] = frozenset(unanswered)


def decode_rows(
    values: Iterable[object],
    decode: Callable[[object], T],
    *,
    kind: str,
    named_by: str,
    is_number: bool = False,
) -> Rows[T]:
    """
    Decode each value by itself.

    Args:
        decode: raises DecodeError for what it can't understand.
        kind: for `LeftOut`.
        named_by: the field that names a row.
        is_number: whether it is a number. A ticker never is: one that is told as a number says
            nothing of which row it is.
    Raises:
        DecodeError: more than `MAXIMUM_LEFT_OUT` of them can't be understood.
    """
    understood: list[T] = []
    left_out: list[LeftOut] = []
    for value in values:
        try:
            understood.append(decode(value))
        except DecodeError as error:
            left_out.append(LeftOut(kind, _name(value, named_by, is_number), str(error)))
            if len(left_out) > MAXIMUM_LEFT_OUT:
                raise DecodeError(f"{kind}: too many rows can't be understood") from None
    return Rows(understood, left_out)


def _name(value: object, named_by: str, is_number: bool) -> str | None:
    try:
        fields = Fields(value, "row")
    except DecodeError:
        return None
    if is_number:
        number = fields.readable(fields.integer, named_by)
        return None if number is None else str(number)
    return fields.readable(fields.ticker, named_by)
