"""
The doorbell of a flush: how far the account got, and what the flush changed, where that fits.

The rows are the truth, and every doorbell may be lost. What it carries says what the rows say that
were written with it, as clients are told it; so whoever has all up to the flush before may take it
and read nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zlib import crc32

from positions import documents
from positions.connection import ConnectionState
from positions.documents import Columns, Document
from positions.models import Market, Position

# PostgreSQL's limit of a notification.
LONGEST_BYTES = 7_999
# Of those what stands around a body: an address of three numbers, and a time.
_AROUND_BYTES = 120
# Ten to twelve fit: what more would make need not be put together.
MOST_POSITIONS = 12


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What one flush wrote.

    Attributes:
        connection: as its worker wrote it.
        positions: those that changed; none of them is closed.
    """

    seq: int
    portfolio: Document
    connection: ConnectionState
    positions: list[Document]


@dataclass(frozen=True, slots=True)
class Doorbell:
    """
    An announcement, as it came.

    Attributes:
        carries: what was written, as text; empty where it must be read.
    """

    account_id: int
    epoch: int
    seq: int
    carries: str

    def carried(self, markets: dict[int, Market]) -> Carried | None:
        """
        What was written, if it came along.

        Args:
            markets: by id, those that are known; a position in another one must be read.
        """
        if not self.carries:
            return None
        updated_at, (portfolio, connection, holdings) = json.loads(self.carries)
        positions = []
        for market_id, holding in holdings:
            market = markets.get(market_id)
            if market is None:
                return None
            positions.append(documents.with_market(holding | {"version": self.seq}, market))
        portfolio["version"] = self.seq
        portfolio["updated_at"] = documents.instant(documents.moment(updated_at))
        return Carried(self.seq, portfolio, documents.connection_of(connection), positions)


def heard(payload: str) -> Doorbell:
    """
    An announcement of `ACCOUNT_CHANGED`.

    Raises:
        ValueError: it is none.
    """
    account_id, epoch, seq, *rest = payload.split(":", 4)
    is_ours = len(rest) == 2 and rest[0] == shape()
    return Doorbell(int(account_id), int(epoch), int(seq), rest[1] if is_ours else "")


@cache
def shape() -> str:
    """
    A word for what is carried: another one where documents have other fields.

    So releases that run side by side read the rows of one another.
    """
    told = [
        documents.portfolio_document(0, None),
        documents.connection_document(
            ConnectionState("connecting", datetime.min.replace(tzinfo=UTC))
        ),
        documents.holding_document(vars(Position(quantity=0))),
    ]
    return f"{crc32(repr([sorted(document) for document in told]).encode()):08x}"


def body(stream: Columns, connection: ConnectionState, positions: Iterable[Columns]) -> str | None:
    """
    What a flush that writes these rows may carry; None where it would be too long.

    Args:
        stream: columns of the account's row. Its time and its `seq` are known once it is written.
        positions: columns of open positions, `market_id` among them.
    """
    text = json.dumps(
        [
            documents.sums_document(stream),
            documents.connection_document(connection),
            [[columns["market_id"], documents.holding_document(columns)] for columns in positions],
        ],
        separators=(",", ":"),
    )
    # It is ASCII.
    return text if len(text) <= LONGEST_BYTES - _AROUND_BYTES else None


def payload_in_sql(row: str, body: str | None) -> str:
    """
    An SQL expression of the payload.

    Args:
        row: alias of the account's row as it is now.
        body: expression of what `body` made; None to announce the row alone.
    """
    parts = [f"{row}.account_id", f"{row}.epoch", f"{row}.seq"]
    if body:
        updated_at = f"coalesce(to_json({row}.updated_at)::text, 'null')"
        parts += [f"'{shape()}'", f"concat('[', {updated_at}, ',', {body}, ']')"]
    return f"concat_ws(':', {', '.join(parts)})"
