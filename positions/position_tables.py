"""
Accounts as lines of text: for each a table of its positions, their sums and how it stands.

Fitted to a terminal where there is one: columns go, the least needed first, and rows, those of the
longest tables first. What is left out is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import cast

from positions.connection import ConnectionState
from positions.connection_words import standing
from positions.documents import Document
from positions.figure_text import (
    UNKNOWN,
    age,
    contracts,
    dollars,
    percentage,
    profit,
    quote,
    quotient,
)

_GAP = "  "
# Columns go before a ticker is cut to less: its beginning and its end tell markets apart.
_SHORTEST_TICKER = 22
# Of a column that never goes.
_NEEDED = 9


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    One account, as read.

    Attributes:
        positions, portfolio: documents of `positions.documents`.
        reconciled_at: when the exchange was last asked for all of it.
    """

    heading: str
    positions: Sequence[Document]
    portfolio: Document
    connection: ConnectionState
    reconciled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in characters."""

    columns: int
    lines: int


@dataclass(frozen=True, slots=True)
class _Column:
    """
    Attributes:
        summed: the portfolio's field for the sum of the column.
        need: those with less go first where there is no room.
    """

    head: str
    field: str
    text: Callable[[str | None], str]
    summed: str | None = None
    need: int = _NEEDED


_TICKER = "Ticker"


def _word(text: str | None) -> str:
    # The exchange's, and a terminal obeys some characters.
    return "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text or ""
    )


def _side(text: str | None) -> str:
    return (text or UNKNOWN).upper()


_COLUMNS = (
    _Column(_TICKER, "ticker", _word),
    _Column("Side", "side", _side),
    _Column("Quantity", "quantity", contracts),
    _Column("Average", "average_price", quotient, need=1),
    _Column("Mark", "mark", quote, need=5),
    _Column("Value", "market_value", dollars, "positions_value", need=3),
    _Column("P&L", "unrealized_pnl", profit, "unrealized_pnl"),
    _Column("%", "unrealized_pnl_percent", percentage, "unrealized_pnl_percent", need=2),
    _Column("Today", "day_pnl", profit, "day_pnl", need=4),
)
_TO_THE_LEFT = ("ticker", "side")


def lines(snapshots: Sequence[Snapshot], now: datetime, size: Size | None = None) -> list[str]:
    """
    The accounts, one under the other.

    Args:
        size: what they must fit into; None for as wide and long as it takes.
    """
    if not snapshots:
        return ["There is no account yet: sign in to the page with a key."]
    blocks = [_block(snapshot, now, size.columns if size else None) for snapshot in snapshots]
    if size:
        _shorten(blocks, size.lines)
    text = "\n\n".join("\n".join(block.lines) for block in blocks).split("\n")
    if size is None:
        return text
    return [_cut(line, size.columns) for line in text[: size.lines]]


@dataclass(slots=True)
class _Block:
    above: list[str]
    rows: list[str]
    below: list[str]
    left_out: int = 0

    @property
    def lines(self) -> list[str]:
        more = [f"… {self.left_out:,} more: make the window taller"] if self.left_out else []
        return [*self.above, *self.rows, *more, *self.below]


def _block(snapshot: Snapshot, now: datetime, width: int | None) -> _Block:
    heading, how = _word(snapshot.heading), standing(snapshot.connection, now)
    reconciled = snapshot.reconciled_at
    if reconciled is None:
        return _Block([heading, how, "Not read from the exchange yet."], [], [])
    how = f"{how} Reconciled {age(reconciled, now)} ago."
    above = [heading, *_wrapped(how, width)]
    below = [
        line
        for sentence in (_money(snapshot.portfolio), *_notes(snapshot.portfolio))
        for line in _wrapped(sentence, width)
    ]
    if not snapshot.positions:
        return _Block(above, ["No open positions."], below)
    head, *rows, sums = _table(snapshot, width)
    return _Block([*above, head], rows, [sums, *below])


def _money(portfolio: Document) -> str:
    cash, total = _figure(portfolio, "cash"), _figure(portfolio, "total_value")
    return f"Cash {dollars(cash)}, in all {dollars(total)}."


def _notes(portfolio: Document) -> list[str]:
    notes = []
    if count := portfolio["unpriced_count"]:
        notes.append(f"Without a mark, and in no sum of values: {count}.")
    if count := portfolio["unreadable_count"]:
        notes.append(f"Rows of the exchange that can't be read: {count}.")
    return notes


def _table(snapshot: Snapshot, width: int | None) -> list[str]:
    """Heads, rows and sums, aligned."""
    columns = list(_COLUMNS)
    while True:
        cells = _cells(snapshot, columns)
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - (width or 0)
        if width is None or excess <= 0:
            break
        if widths[0] - excess >= _SHORTEST_TICKER:
            widths[0] -= excess
            break
        needless = min(columns, key=lambda column: column.need)
        if needless.need == _NEEDED:
            # Where even that is too wide, lines are cut at their end.
            widths[0] = max(widths[0] - excess, len(_TICKER))
            break
        columns.remove(needless)
    return [_row(cells_of_row, columns, widths) for cells_of_row in cells]


def _cells(snapshot: Snapshot, columns: Sequence[_Column]) -> list[list[str]]:
    heads = [column.head for column in columns]
    rows = [
        [column.text(_figure(position, column.field)) for column in columns]
        for position in snapshot.positions
    ]
    sums = [
        column.text(_figure(snapshot.portfolio, column.summed)) if column.summed else ""
        for column in columns
    ]
    return [heads, *rows, ["Sum", *sums[1:]]]


def _row(cells: Sequence[str], columns: Sequence[_Column], widths: Sequence[int]) -> str:
    fitted = [_cut_inside(cells[0], widths[0]), *cells[1:]]
    return _GAP.join(
        cell.ljust(width) if column.field in _TO_THE_LEFT else cell.rjust(width)
        for cell, column, width in zip(fitted, columns, widths, strict=True)
    ).rstrip()


def _shorten(blocks: Sequence[_Block], height: int) -> None:
    """Leave rows out, of the longest tables first, until all fits or no row is left."""
    most = max(len(block.rows) for block in blocks)
    while most > 0 and _height(blocks) > height:
        most -= 1
        for block in blocks:
            if len(block.rows) > most:
                block.left_out += len(block.rows) - most
                del block.rows[most:]


def _height(blocks: Sequence[_Block]) -> int:
    return sum(len(block.lines) + 1 for block in blocks) - 1


def _wrapped(text: str, width: int | None) -> list[str]:
    return [text] if width is None else wrap(text, width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def _cut_inside(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[len(text) - end :]}"


def _figure(document: Document, field: str) -> str | None:
    return cast(str | None, document[field])  # a figure's string, or a word
