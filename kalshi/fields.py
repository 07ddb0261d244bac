"""The fields of one JSON object from the exchange, read by type."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeGuard, TypeVar

from kalshi import fixed_point
from kalshi.errors import DecodeError, LegacyShape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENTS = Decimal(100)
# A trillion dollars, as in `fixed_point`.
_MAXIMUM_CENTS = 10**14
# What was added to the names when strings took the place of integers, in March 2026.
_SUFFIXES = ("_dollars", "_fp")
# Far beyond what the exchange sends, and short enough to store and to index.
LONGEST_TICKER = 200
LONGEST_TEXT = 5_000
LONGEST_ID = 128
# Of scopes, such as "read" or "write::orders".
_LONGEST_WORD = 64
_MOST_WORDS = 100
# Of one row, such as the events of a tournament.
_MOST_TICKERS = 1_000
# Any more are no integers to most readers of JSON; and what fits into four bytes of a column.
_MAXIMUM_INTEGER = 2**53 - 1
MAXIMUM_SUBACCOUNT = 2**31 - 1
# What lies outside is no time of a market, but a zero or a mistake, and overflows where it is
# reckoned with.
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
# Of a whole number; Python itself refuses a text for one of more than 4,300.
_MOST_DIGITS = 100
# In one text. The most that we ask for are 5,000 candlesticks of 25 values each.
MAXIMUM_VALUES = 250_000

T = TypeVar("T")


def parse(text: str | bytes) -> object:
    """
    What a JSON text says.

    One value that can't be read costs the row that needs it, not all others: a byte that is no
    UTF-8 becomes a sign that says so, and a whole number without end is null.

    Raises:
        DecodeError: it isn't JSON, or is of more values, or nested deeper, than any answer.
    """
    # Before parsing, as eight megabytes of `[],` would become 200 and take a second.
    if len(text) > MAXIMUM_VALUES and values_in(text) > MAXIMUM_VALUES:
        raise DecodeError("JSON of too many values")
    try:
        return json.loads(text)
    # The parser's own limit, of about a thousand levels, which it finds within microseconds.
    except RecursionError:
        raise DecodeError("JSON that is nested too deeply") from None
    except json.JSONDecodeError:
        # Not chained: json's error carries the whole text along.
        raise DecodeError("not JSON") from None
    except ValueError:
        return _parse_leniently(text)


def _parse_leniently(text: str | bytes) -> object:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise DecodeError("not JSON") from None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def values_in(text: str | bytes) -> int:
    """
    How many values a JSON text holds at most, found without parsing it.

    Each stands behind a bracket or a comma, or is the whole.
    """
    if isinstance(text, str):
        return 1 + text.count("[") + text.count("{") + text.count(",")
    return 1 + text.count(b"[") + text.count(b"{") + text.count(b",")


class Fields:
    """
    One JSON object. Each reader returns a required field in its type.

    Fields nobody asks for are ignored, since the exchange adds some every month. Those that are
    asked for are of three kinds: needed, `optional` (may be missing, but must not be wrong) and
    `readable` (helps where it can be understood, and costs nothing where it can't).

    Args:
        value: a parsed JSON value.
        what: its name, for messages.
    Raises:
        DecodeError: `value` is no object; from the readers: the field is missing or of another
            type. The message names the field and never repeats its content. LegacyShape if the
            field's integer predecessor is there instead.
    """

    __slots__ = ("_values", "_what")

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise DecodeError(f"{what} is not a JSON object")
        self._values = value
        self._what = what

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def value(self, name: str) -> object:
        """The field as JSON has it; None if missing."""
        return self._values.get(name)

    def optional(self, read: Callable[[str], T], name: str) -> T | None:
        """The field by one of the readers, None if it is missing or null."""
        return read(name) if self.has(name) else None

    def readable(self, read: Callable[[str], T], name: str) -> T | None:
        """The field by one of the readers, None if it is missing, null or not understood."""
        try:
            return self.optional(read, name)
        except DecodeError:
            return None

    def refuse_legacy(self, *names: str) -> None:
        """
        See that none of these fields is there in the shape of former years alone.

        Raises:
            LegacyShape: one is, which `readable` would take for missing.
        """
        for name in names:
            if not self.has(name):
                error = self._wrong(name, "")
                if isinstance(error, LegacyShape):
                    raise error

    def text(self, name: str) -> str:
        """A text that can be stored: PostgreSQL takes neither NUL nor half a surrogate pair."""
        value = self._values.get(name)
        if not isinstance(value, str) or "\0" in value or not _is_unicode(value):
            raise self._wrong(name, "a text")
        if len(value) > LONGEST_TEXT:
            raise self._wrong(name, f"a text of at most {LONGEST_TEXT} characters")
        return value

    def text_or_empty(self, name: str) -> str:
        """A text as of `text`, empty where there is none that can be understood."""
        return self.readable(self.text, name) or ""

    def ticker(self, name: str) -> str:
        """The name of a market, an event or a series."""
        value = self._values.get(name)
        if not _is_printable(value, LONGEST_TICKER):
            raise self._wrong(name, "a ticker")
        return value

    def identifier(self, name: str) -> str:
        """The ID of a key, a trade, an order or a payment."""
        value = self._values.get(name)
        if not _is_printable(value, LONGEST_ID):
            raise self._wrong(name, "an ID")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """An array of words; all of them, or it is not understood."""
        return self._printables(name, _MOST_WORDS, _LONGEST_WORD, "an array of words")

    def tickers(self, name: str) -> tuple[str, ...]:
        """An array of tickers; all of them, or it is not understood."""
        return self._printables(name, _MOST_TICKERS, LONGEST_TICKER, "an array of tickers")

    def integer(self, name: str) -> int:
        value = self._values.get(name)
        # JSON's true is an int to Python.
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "an integer")
        if abs(value) > _MAXIMUM_INTEGER:
            raise self._wrong(name, "an integer of 53 bits")
        return value

    def subaccount(self, name: str) -> int:
        """The number of a subaccount; 0 is the primary one."""
        value = self.integer(name)
        if not 0 <= value <= MAXIMUM_SUBACCOUNT:
            raise self._wrong(name, "the number of a subaccount")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def positive(self, name: str) -> int:
        """A rate, a size or a cost: not 0, and small enough to compute with."""
        value = self.integer(name)
        if value <= 0:
            raise self._wrong(name, "a positive integer")
        return value

    def number(self, name: str) -> Decimal:
        """A JSON number, by its shortest digits: what the exchange writes, not what a float is."""
        value = self._values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(name, "a number")
        # Python reads NaN and Infinity, which are no JSON.
        if not abs(value) <= _MAXIMUM_INTEGER:
            raise self._wrong(name, "a number")
        return Decimal(repr(value))

    def items(self, name: str, *, at_most: int | None = None) -> list[object]:
        """A JSON array, its elements unread; of so many where it is no page of a list."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "an array")
        if at_most is not None and len(value) > at_most:
            raise self._wrong(name, f"an array of at most {at_most}")
        return value

    def dollars(self, name: str) -> Decimal:
        try:
            return fixed_point.dollars(self._values.get(name))
        except ValueError:
            raise self._wrong(name, "dollars in a decimal string") from None

    def amount(self, name: str) -> Decimal:
        """Dollars that can't be less than none, such as a cost."""
        dollars = self.dollars(name)
        if dollars < 0:
            raise self._wrong(name, "an amount that is not negative")
        return dollars

    def cents(self, name: str) -> Decimal:
        """An amount in whole cents, as dollars."""
        cents = self.integer(name)
        if abs(cents) >= _MAXIMUM_CENTS:
            raise self._wrong(name, "an amount in cents")
        return cents / _CENTS

    def contracts(self, name: str) -> Decimal:
        try:
            return fixed_point.contracts(self._values.get(name))
        except ValueError:
            raise self._wrong(name, "contracts in a decimal string") from None

    def time(self, name: str) -> datetime:
        """An RFC 3339 time, in UTC."""
        try:
            time = datetime.fromisoformat(self.text(name))
            if time.tzinfo is None:
                raise ValueError("no time zone")
            return _in_range(time.astimezone(UTC))
        except (ValueError, OverflowError):
            raise self._wrong(name, "an RFC 3339 time") from None

    def milliseconds(self, name: str) -> datetime:
        """A Unix time in milliseconds, in UTC."""
        return self._unix(name, timedelta(milliseconds=1))

    def seconds(self, name: str) -> datetime:
        """A Unix time in seconds, in UTC."""
        return self._unix(name, timedelta(seconds=1))

    def _printables(self, name: str, most: int, longest: int, expected: str) -> tuple[str, ...]:
        values = self.items(name, at_most=most)
        texts = tuple(value for value in values if _is_printable(value, longest))
        if len(texts) < len(values):
            raise self._wrong(name, expected)
        return texts

    def _unix(self, name: str, unit: timedelta) -> datetime:
        try:
            return _in_range(_EPOCH + self.integer(name) * unit)
        except (ValueError, OverflowError):
            raise self._wrong(name, "a Unix time") from None

    def _wrong(self, name: str, expected: str) -> DecodeError:
        if self._values.get(name) is None:
            missing = f"{self._what}: {name} is missing"
            for suffix in _SUFFIXES:
                former = name.removesuffix(suffix)
                if former != name and isinstance(self._values.get(former), int):
                    return LegacyShape(f"{missing}, {former} is an integer as in former years")
            return DecodeError(missing)
        return DecodeError(f"{self._what}: {name} is not {expected}")


def _is_printable(value: object, longest: int) -> TypeGuard[str]:
    """Whether this is a text of printable ASCII, and neither empty nor longer."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and (0 < len(value) <= longest)
    )


def _in_range(time: datetime) -> datetime:
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError("no time of a market")
    return time


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
