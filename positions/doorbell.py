"""
The doorbell of a flush: how far the account got, and what the flush changed, where that fits.

The rows are the truth, and every doorbell may be lost. What it carries is read off the rows by the
statement that wrote them, so whoever has all up to the flush before may take it and read nothing.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Field, Model

from positions.models import AccountStream, Market, Position

_M = TypeVar("_M", bound=Model)

# PostgreSQL's limit of a notification.
LONGEST_BYTES = 7_999
# Some ten fit: what more would make need not be put together.
MOST_POSITIONS = 12


@dataclass(frozen=True, slots=True)
class Carried:
    """The rows that one flush wrote: the account's own, and whole positions."""

    stream: AccountStream
    positions: list[Position]


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
        stream, positions = json.loads(self.carries, parse_float=Decimal)
        rows = []
        for values in positions or ():
            row = _row(Position, values)
            market = markets.get(row.market_id)
            if market is None:
                return None
            row.market = market
            rows.append(row)
        rows.sort(key=lambda row: row.market.ticker)
        return Carried(_row(AccountStream, stream), rows)


def heard(payload: str) -> Doorbell:
    """
    An announcement of `ACCOUNT_CHANGED`.

    Raises:
        ValueError: it is none.
    """
    account_id, epoch, seq, *carries = payload.split(":", 3)
    return Doorbell(int(account_id), int(epoch), int(seq), carries[0] if carries else "")


def payload_in_sql(address: str, stream: str, positions: str | None) -> str:
    """
    An SQL expression of the payload that carries rows, or the address alone if it got too long.

    Args:
        address: expression of `account:epoch:seq`.
        stream: alias of the account's row as it is now.
        positions: alias of the positions' rows as they are now; None for none.
    """
    # Without OFFSET it would be put together twice: to be measured, and to be sent.
    rows = f"(SELECT json_agg({positions}) FROM {positions})" if positions else "NULL"  # noqa: S608  # our own aliases
    return f"""
        (SELECT CASE WHEN octet_length(whole) <= {LONGEST_BYTES} THEN whole ELSE {address} END
        FROM (SELECT {address} || ':' || json_build_array(to_json({stream}), {rows})::text
            AS whole OFFSET 0) AS told)
    """  # noqa: S608  # as above


def _row(model: type[_M], values: dict[str, object]) -> _M:
    fields = _fields(model)
    read = [field.to_python(values[column]) for column, field in fields.items()]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields.values()], read)


@cache
def _fields(model: type[Model]) -> "dict[str, Field[Any, Any]]":  # Any: of every type
    return {str(field.column): field for field in model._meta.concrete_fields}
