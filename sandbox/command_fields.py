"""The fields of a command: each is asked for by its name and kind, and a slip is told in words."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from sandbox.server import Sandbox

# Whatever is meant, more is a slip.
_LARGEST = 10**12

Word = TypeVar("Word", bound=str)


class BadCommand(Exception):
    """A command that can't be carried out; the message says why, for a person."""


class Fields:
    """The fields of one command; BadCommand for one that is missing, wrong or unknown."""

    def __init__(self, sandbox: Sandbox, values: Mapping[str, object]) -> None:
        self._sandbox = sandbox
        self._left = dict(values)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._take(name, default)
        if not isinstance(value, str):
            raise BadCommand(f"{name} is a text")
        return value

    def word(self, name: str, known: tuple[Word, ...], default: Word | None = None) -> Word:
        value = self.text(name, default)
        if value not in known:
            raise BadCommand(f"{name} is one of {', '.join(known)}")
        return value

    def number(self, name: str, default: str | None = None) -> Decimal:
        """A number, written as one or as a text; never through a float."""
        value = self._take(name, default)
        try:
            if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
                number = Decimal(value)
                if number.is_finite() and abs(number) <= _LARGEST:
                    return number
        except InvalidOperation:
            pass
        raise BadCommand(f"{name} is a number")

    def whole(self, name: str, default: int | None = None) -> int:
        number = self.number(name, None if default is None else str(default))
        if number != int(number) or number < 0:
            raise BadCommand(f"{name} is a whole number from 0")
        return int(number)

    def prices(self, name: str) -> tuple[tuple[str, Decimal], ...]:
        """Names with dollars, such as `HOME:0.55,AWAY:0.43`."""
        pairs = (each.partition(":") for each in self.text(name).split(","))
        try:
            named = tuple((word.strip(), Decimal(price)) for word, _, price in pairs)
            if all(word and price.is_finite() for word, price in named):
                return named
        except InvalidOperation:
            pass
        raise BadCommand(f"{name} are names with prices, such as HOME:0.55,AWAY:0.43")

    def cents(self, name: str, default: str | None = None) -> int:
        """Dollars in whole cents."""
        hundredfold = self.number(name, default) * 100
        if hundredfold != int(hundredfold):
            raise BadCommand(f"{name} is dollars in whole cents")
        return int(hundredfold)

    def duration(self, name: str, default: str | None = None) -> timedelta:
        try:
            return timedelta(seconds=float(self.number(name, default)))
        except OverflowError:
            raise BadCommand(f"{name} is too long") from None

    def claim(self, name: str, default: bool) -> bool:
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise BadCommand(f"{name} is true or false")
        return value

    def json(self, name: str) -> object:
        """Whatever JSON can hold; null when it is left out, for which TOML has no word."""
        value = self._left.pop(name, None)
        try:
            # A number with a point was kept as it was written; JSON's own numbers have no other.
            return json.loads(json.dumps(value, default=_number, allow_nan=False))
        except (TypeError, ValueError):
            raise BadCommand(f"{name} is what JSON can hold") from None

    def market(self) -> str:
        """The ticker of the market that is meant."""
        named = self.text("market")
        prefix, _, number = named.partition(":")
        if prefix == "held" and number.isdecimal():
            held = held_and_trading(self._sandbox)
            if not 0 < int(number) <= len(held):
                raise BadCommand(f"only {len(held)} markets are held")
            return held[int(number) - 1]
        if named not in self._sandbox.exchange.markets:
            raise BadCommand(f"there is no market {named}")
        return named

    def done(self) -> None:
        """Raise BadCommand when a field was not asked for."""
        if self._left:
            raise BadCommand(f"unknown: {', '.join(sorted(self._left))}")

    def _take(self, name: str, default: object) -> object:
        value = self._left.pop(name, default)
        if value is None:
            raise BadCommand(f"{name} is missing")
        return value


def held_and_trading(sandbox: Sandbox) -> list[str]:
    """The tickers that the demonstration account holds in markets that trade, in order."""
    return sorted(
        position.ticker
        for position in sandbox.account.portfolios[0].positions.values()
        if position.quantity and sandbox.exchange.markets[position.ticker].status == "active"
    )


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError
