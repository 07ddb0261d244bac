"""
The doorbell of a flush: how far the account got, and the rows that it wrote, where they fit.

The rows are the truth, and every doorbell may be lost. What it carries is the text that the rows
were written from; so whoever has all up to the flush before may take it and read nothing.
"""

import json
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from positions import documents
from positions.connection import ConnectionState
from positions.documents import Document
from positions.models import AccountStream, Market, Position

# PostgreSQL's limit of a notification.
LONGEST_BYTES = 7_999
# Of those what stands around the rows: an address of three numbers, a word, a time and a count.
_AROUND_BYTES = 120
# To be raised with whatever stands behind the address, or how columns are told.
_FORMAT = 2


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
        updated_at, left_out, stream, rows = json.loads(self.carries)
        # An account's time moves with each of its positions: it is that of the rows too.
        written = {
            "account_id": self.account_id,
            "seq": self.seq,
            "updated_at": documents.instant(documents.moment(updated_at)),
        }
        positions = []
        for row in rows:
            market = markets.get(row["market_id"])
            if market is None:
                return None
            positions.append(documents.document_of_position(row | written, market))
        return Carried(
            self.seq,
            documents.document_of_portfolio(stream | written, left_out=left_out),
            documents.connection_of(stream),
            positions,
        )


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
    A word for what is carried: another one where that has another form, or rows other columns.

    So a web server of another release ignores what it can't read, and reads the rows.
    """
    columns = [
        [field.name for field in of._meta.concrete_fields] for of in (AccountStream, Position)
    ]
    return f"{crc32(repr((_FORMAT, columns)).encode()):08x}"


def fits(*texts: str) -> bool:
    """Whether rows of these texts, in ASCII, can be carried."""
    return sum(map(len, texts)) <= LONGEST_BYTES - _AROUND_BYTES


def payload_in_sql(row: str, rows: tuple[str, str] | None) -> str:
    """
    An SQL expression of the payload.

    Args:
        row: alias of the account's row as it is now, with `left_out` the number of them.
        rows: expressions of the texts that are carried, JSON: of the account's row without `seq`
            and time, and of a list of open positions; None to announce the row alone.
    """
    parts = [f"{row}.account_id", f"{row}.epoch", f"{row}.seq"]
    if rows:
        updated_at = f"coalesce(to_json({row}.updated_at)::text, 'null')"
        carried = " || ',' || ".join([updated_at, f"{row}.left_out", *rows])
        parts += [f"'{shape()}'", f"'[' || {carried} || ']'"]
    return f"concat_ws(':', {', '.join(parts)})"
