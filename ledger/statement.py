"""
The exchange's own statement of closed trades: a CSV file, a line a trade, amounts in cents.

What a row says is held against itself: a file whose figures don't fit together was changed on its
way, or is of another kind. Content is never repeated in a message, as it may be anything.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Literal

from positions.decimal_text import plain
from positions.pnl import PAYOUT, ZERO, Side

COLUMNS = (
    "type",
    "quantity",
    "market_ticker",
    "side",
    "entry_price_cents",
    "exit_price_cents",
    "open_fees_cents",
    "close_fees_cents",
    "realized_pnl_without_fees_cents",
    "realized_pnl_with_fees_cents",
    "close_timestamp",
    "open_timestamp",
)
# Some hundred times what a row takes; no more than this is ever held of a line.
LONGEST_LINE = 32_768

# Twelve digits are more money than there is, and no more fit into a column.
_NUMBER = re.compile(r"-?(?:[0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,7})?", re.ASCII)
# What `surrogateescape` makes of it.
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_TICKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}", re.ASCII)
_UNIX = re.compile(r"[0-9]{9,11}(?:\.[0-9]{1,6})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 2018, 2999
_DOLLAR = Decimal(100)
_MILLIONTH = Decimal("0.000001")
# From so many decimals on a price in cents is an average that was cut off.
_AVERAGE_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Trade:
    """
    A closed trade, in dollars and contracts.

    Attributes:
        entry_price, exit_price: of one contract of the side, to six decimals.
        net_pnl: after fees.
        result: the market's, where the row is of a settlement; None where it was sold, or where
            that can't be told.
        line: where it stands in its file.
    """

    ticker: str
    side: Side
    count: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees_paid: Decimal
    net_pnl: Decimal
    opened_at: datetime
    closed_at: datetime
    result: Literal["yes", "no", "scalar"] | None
    line: int

    @property
    def identity(self) -> bytes:
        """The same for trades whose values are the same, however their files were written."""
        figures = (self.count, self.entry_price, self.exit_price, self.fees_paid, self.net_pnl)
        times = (self.opened_at.isoformat(), self.closed_at.isoformat())
        texts = (self.ticker, self.side, *times, *(plain(figure) or "" for figure in figures))
        return sha256("\n".join(texts).encode()).digest()


def fingerprint(identity: bytes, number: int) -> str:
    """What names one trade of an account: its identity, and which of the equal ones it is."""
    return sha256(identity + str(number).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, for a person."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class NoTrade:
    """A line that tells of something else, such as a credit."""

    line: int


class _Wrong(Exception):
    """A row that can't be taken, with the reason."""


def read(lines: Iterable[str]) -> Iterator[Trade | Problem | NoTrade]:
    """
    What a statement says, line by line; empty lines say nothing.

    Args:
        lines: decoded with `surrogateescape`, each at most one character longer than
            `LONGEST_LINE`; the one after a longer one is not read.
    """
    columns: Mapping[str, int] | None = None
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            cells = _cells(line)
            if not any(cells):
                continue
            if columns is None:
                columns = _columns(cells)
                continue
            yield _row(cells, columns, number)
        except _Wrong as error:
            yield Problem(number, str(error))
            if columns is None or len(line) > LONGEST_LINE:
                return
    if columns is None:
        yield Problem(max(number, 1), "the file is empty")


def _cells(line: str) -> list[str]:
    if len(line) > LONGEST_LINE:
        raise _Wrong(f"longer than {LONGEST_LINE} characters; nothing after it was read")
    if "\0" in line:
        raise _Wrong("has a NUL character")
    if _NOT_UTF8.search(line):
        raise _Wrong("is not UTF-8")
    try:
        # One line at a time: a quote that is never closed would take the rest of the file.
        [cells] = list(csv.reader([line.rstrip("\r\n")], strict=True)) or [[]]
    except csv.Error:
        raise _Wrong("has quotes that don't fit together") from None
    return [cell.strip() for cell in cells]


def _columns(names: Sequence[str]) -> dict[str, int]:
    """Where each column stands; others are passed over."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        wanted = name.lower().removeprefix("\ufeff")
        if wanted in COLUMNS and found.setdefault(wanted, index) != index:
            raise _Wrong(f"the column {wanted} is there twice")
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise _Wrong(f"columns are missing: {', '.join(missing)}")
    return found


def _row(cells: Sequence[str], columns: Mapping[str, int], line: int) -> Trade | NoTrade:
    if len(cells) <= max(columns.values()):
        raise _Wrong("has fewer cells than the first line has columns")
    row = {name: cells[index] for name, index in columns.items()}
    kind = row["type"].lower()
    if kind == "credit":
        return NoTrade(line)
    side = _side(row["side"])
    count = _number(row, "quantity")
    if count <= 0 or count != round(count, 2):
        raise _Wrong("quantity is no count of contracts")
    entry, leaving = _price(row, "entry_price_cents"), _price(row, "exit_price_cents")
    open_fees, close_fees = _number(row, "open_fees_cents"), _number(row, "close_fees_cents")
    net = _checked_net(row, count, entry, leaving, open_fees + close_fees)
    if not _TICKER.fullmatch(row["market_ticker"]):
        raise _Wrong("market_ticker is no ticker")
    opened_at, closed_at = _time(row, "open_timestamp"), _time(row, "close_timestamp")
    if opened_at > closed_at:
        raise _Wrong("open_timestamp is later than close_timestamp")
    return Trade(
        ticker=row["market_ticker"],
        side=side,
        count=count,
        entry_price=_dollars(entry),
        exit_price=_dollars(leaving),
        fees_paid=_dollars(open_fees + close_fees),
        net_pnl=net / _DOLLAR,
        opened_at=opened_at,
        closed_at=closed_at,
        result=_result(kind, side, leaving / _DOLLAR, close_fees),
        line=line,
    )


def _checked_net(
    row: Mapping[str, str], count: Decimal, entry: Decimal, leaving: Decimal, fees: Decimal
) -> Decimal:
    """The P&L after fees, in cents, once it is known to follow from the rest."""
    gross = _number(row, "realized_pnl_without_fees_cents")
    net = _number(row, "realized_pnl_with_fees_cents")
    averages = sum((count * _cut_off(price) for price in (entry, leaving)), ZERO)
    reckoned = (leaving - entry) * count
    if abs(reckoned - gross) > averages + _rounding(reckoned, gross):
        raise _Wrong(
            "realized_pnl_without_fees_cents is not quantity times exit price less entry price"
        )
    if abs(gross - fees - net) > _rounding(gross - fees, net):
        raise _Wrong("realized_pnl_with_fees_cents is not the one without fees less the fees")
    return net


def _cut_off(price: Decimal) -> Decimal:
    """How much an average may have lost of its decimals; nothing is lost of other prices."""
    decimals = _decimals(price)
    return Decimal(1).scaleb(-decimals) if decimals >= _AVERAGE_DECIMALS else ZERO


def _rounding(exact: Decimal, told: Decimal) -> Decimal:
    """What a figure that is told with fewer decimals may differ by: half of its last one."""
    decimals = _decimals(told)
    return Decimal("0.5").scaleb(-decimals) if _decimals(exact) > decimals else ZERO


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _result(
    kind: str, side: Side, exit_price: Decimal, close_fees: Decimal
) -> Literal["yes", "no", "scalar"] | None:
    # Nobody trades at 0 or at a dollar, and a payout has no fee.
    if exit_price in (ZERO, PAYOUT) and not close_fees:
        won = exit_price == PAYOUT
        return "yes" if won == (side == "yes") else "no"
    return "scalar" if kind.startswith("settle") else None


def _side(text: str) -> Side:
    match text.lower():
        case "yes":
            return "yes"
        case "no":
            return "no"
        case _:
            raise _Wrong("side is neither yes nor no")


def _price(row: Mapping[str, str], name: str) -> Decimal:
    price = _number(row, name)
    if not 0 <= price <= _DOLLAR:
        raise _Wrong(f"{name} is no price from 0 to 100 cents")
    return price


def _number(row: Mapping[str, str], name: str) -> Decimal:
    if not _NUMBER.fullmatch(row[name]):
        raise _Wrong(f"{name} is missing" if not row[name] else f"{name} is no number")
    return Decimal(row[name].replace(",", ""))


def _dollars(cents: Decimal) -> Decimal:
    return (cents / _DOLLAR).quantize(_MILLIONTH, rounding=ROUND_HALF_EVEN)


def _time(row: Mapping[str, str], name: str) -> datetime:
    text = row[name]
    if not text:
        raise _Wrong(f"{name} is missing")
    try:
        if _UNIX.fullmatch(text):
            at = _EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000))
        else:
            at = datetime.fromisoformat(re.sub(r"\s?UTC$", "Z", text))
            if at.tzinfo is None:
                raise _Wrong(f"{name} does not say its offset from UTC")
            at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong(f"{name} is no time") from None
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise _Wrong(f"{name} is no time at which the exchange traded")
    return at
