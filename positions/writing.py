"""
The write-through cache: a tracker's changes become rows, in one transaction that announces them.

One worker at a time writes an account. `taking_over` raises the account's epoch; every write is
conditional on it, so a worker that was overtaken (frozen, cut off from the database) finds no row
to update and stops, whatever it still believes. One worker's own writes are numbered: one that it
gave up, and that the server gets to after a later one, finds no row either.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Protocol

from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, connections, transaction

from accounts.models import Account
from kalshi.messages import Fill
from positions import doorbell, models
from positions.collateral_book import PaidMarket
from positions.connection import ConnectionState, Reason, Status
from positions.day import Baseline
from positions.documents import as_told
from positions.fencing import Fence, TakenOver
from positions.noticed import Notice
from positions.pnl import Figures, Holding, Quote, Sums
from positions.portfolio import Changes, Closed, Position, Worth
from postgres.channels import ACCOUNT_CHANGED
from postgres.prepared import prepared_cursor

# Readers are told of a closed position within seconds; those away for longer start from a snapshot.
TOMBSTONES_KEPT = timedelta(hours=1)

# Of a market; those of its event stay as another account may have read them until this one has.
_EVENT_FACTS = [
    "event_ticker",
    "series_ticker",
    "title",
    "is_described",
    "collateral_return_type",
]
# Names of fields are names of columns.
_NAMES = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (ConnectionState, Sums, Worth, Holding, Quote, Figures)
}
# Columns of an account that change while its figures stay: how its connection stands, and of when
# what was read is.
_NO_FIGURES = {*_NAMES[ConnectionState], "reconciled_at", "cash_as_of"}
_MARKET_FACTS = ["yes_outcome", "no_outcome", "close_time", "expected_at"]


logger = logging.getLogger(__name__)

# Without spaces: what it makes travels with the doorbell.
_encode = json.JSONEncoder(separators=(",", ":")).encode

# Figures that need no price: all others are unknown where the mark is.
_WITHOUT_MARK = {"average_price", "break_even_price", "payout"}
_WORTH_UNKNOWN: dict[str, None] = dict.fromkeys(
    {*_NAMES[Figures], "mark_source", "day_pnl"} - _WITHOUT_MARK
)


class Records(Protocol):
    """What is kept of what happened, written and read where the positions are."""

    def record(self, account_id: int, fills: Sequence[Fill], at: datetime) -> None:
        """Keep executions, within the transaction that writes the positions they changed."""

    def notice(self, account_id: int, notices: Sequence[Notice], at: datetime) -> None:
        """Keep what was noticed of markets and of reading the exchange, as `record` does."""

    def connected(self, account_id: int, state: ConnectionState, at: datetime) -> None:
        """Keep that the connection has become another."""

    def locked_in(self, account_id: int) -> Mapping[str, Decimal]:
        """Realized P&L less fees of the markets traded before in which nothing is held."""

    def netting(self, account_id: int) -> bool | None:
        """Whether the exchange gives collateral back to it, as it said last."""

    def paid_markets(self, account_id: int) -> Iterable[PaidMarket]:
        """Of the events in which something is held, the markets that have paid the account."""

    def baseline(self, account_id: int) -> Baseline | None:
        """What today's P&L is reckoned from, if there is something yet."""


class StreamWriter:
    """
    The one writer of an account's rows.

    Not for several threads at once. After a database error the caller may write the same changes
    again, whether the failed write was committed or not: they are states, not steps.

    Attributes:
        fence: for what is written beside it.
    """

    def __init__(self, account: Account, epoch: int, records: Records | None = None) -> None:
        self.account_id = account.pk
        self._records = records
        # As it was last written.
        self._connection: tuple[Status, Reason | None] | None = None
        self._environment = account.environment
        self.fence = Fence(account.pk, epoch)
        # The number of the last flush that was tried.
        self._tried = 0
        self._market_ids: dict[str, int] = {}

    def write(self, changes: Changes, connection: ConnectionState, at: datetime) -> int:
        """
        Write through what changed and announce it, all or nothing.

        Returns:
            The account's new `seq`, which every row written carries.
        Raises:
            TakenOver: another worker has raised the epoch.
            django.db.Error: nothing is known to be written; the changes are still the caller's.
        """
        undescribed = [
            position
            for position in changes.positions
            if position.ticker in changes.markets or position.ticker not in self._market_ids
        ]
        if undescribed:
            if not models.AccountStream.objects.filter(
                account_id=self.account_id, epoch=self.fence.epoch
            ).exists():
                # Facts are not fenced, and what an overtaken worker knows of them may be long
                # out of date. (Who takes over in this very moment reads them soon.)
                raise TakenOver
            # Apart from the rest: accounts share markets, and would wait for each other's flushes
            # in any order. Facts of a market that outlive a flush which failed are true all the
            # same.
            self._market_ids |= self._describe(undescribed)
        # A tick changes prices alone: one statement does it, and BEGIN and COMMIT would cost more.
        records = self._records
        is_connected_anew = records and (connection.status, connection.reason) != self._connection
        is_one_statement = not (
            changes.closed or changes.fills or changes.notices or is_connected_anew
        )
        # Within a transaction more becomes of the rows; readers know the markets as they were; and
        # without sums the account's row says more than is written here.
        is_alone = is_one_statement and not connections[DEFAULT_DB_ALIAS].in_atomic_block
        carries = is_alone and changes.sums is not None and not undescribed
        self._tried += 1
        with nullcontext() if is_one_statement else transaction.atomic():
            seq = flush(
                account_id=self.account_id,
                epoch=self.fence.epoch,
                number=self._tried,
                at=at,
                stream=columns_of(connection) | _portfolio_columns(changes),
                positions=[
                    _position_columns(position) | {"market_id": self._market_ids[position.ticker]}
                    for position in changes.positions
                ],
                moves_clock=bool(changes.positions or changes.closed),
                carries=carries,
            )
            if seq is None:
                # Another worker claimed the account after us: its epoch is the higher one.
                raise TakenOver
            self._bury(changes.closed, seq, at)
            if records and changes.fills:
                records.record(self.account_id, changes.fills, at)
            if records and changes.notices:
                records.notice(self.account_id, changes.notices, at)
            if records and is_connected_anew:
                records.connected(self.account_id, connection, at)
        for closed in changes.closed:
            self._market_ids.pop(closed.ticker, None)
        self._connection = (connection.status, connection.reason)
        return seq

    def write_apart(
        self, changes: Changes, connection: ConnectionState, at: datetime
    ) -> dict[str, str]:
        """
        Write what the database accepts, each thing by itself, after it refused the whole.

        What it refuses to record is left out, which the log says.

        Returns:
            The tickers of positions that it refuses, with its reason.
        Raises:
            as `write`; DataError or IntegrityError if even the account's own row is refused.
        """
        nothing = _nothing_but_sums(changes)
        self.write(replace(nothing, closed=changes.closed), connection, at)
        refused = {}
        for position in changes.positions:
            try:
                alone = replace(nothing, positions=(position,), markets=changes.markets)
                self.write(alone, connection, at)
            except (DataError, IntegrityError) as error:
                refused[position.ticker] = type(error).__name__
        if refused:
            with transaction.atomic():
                seq = self.write(nothing, connection, at)
                self._disown(refused, seq, at)
        for fill in changes.fills:
            self._record_apart(replace(nothing, fills=(fill,)), connection, at)
        for notice in changes.notices:
            self._record_apart(replace(nothing, notices=(notice,)), connection, at)
        return refused

    def _record_apart(self, record: Changes, connection: ConnectionState, at: datetime) -> None:
        try:
            self.write(record, connection, at)
        except (DataError, IntegrityError) as error:
            kinds = [type(each).__name__ for each in (*record.fills, *record.notices)]
            told = {"account_id": self.account_id, "kinds": kinds, "error": type(error).__name__}
            logger.error("record refused", extra=told)

    def _disown(self, tickers: Iterable[str], seq: int, at: datetime) -> None:
        """Let the rows of these positions say no more what they are worth."""
        models.Position.objects.filter(
            account_id=self.account_id, market__ticker__in=list(tickers)
        ).update(**_WORTH_UNKNOWN, unreadable="position", seq=seq, updated_at=at)

    def purge(self, now: datetime) -> None:
        """Delete tombstones that every reader has long had."""
        models.Position.objects.of(self.account_id).tombstones(now - TOMBSTONES_KEPT).delete()

    def _describe(self, positions: Iterable[Position]) -> dict[str, int]:
        by_knowledge: dict[bool, list[models.Market]] = {True: [], False: []}
        for position in positions:
            facts = asdict(position.market)
            market = models.Market(environment=self._environment, ticker=position.ticker, **facts)
            by_knowledge[market.is_described].append(market)
        for is_described, markets in by_knowledge.items():
            models.Market.objects.bulk_create(
                markets,
                update_conflicts=True,
                unique_fields=["environment", "ticker"],
                update_fields=_MARKET_FACTS + (_EVENT_FACTS if is_described else []),
            )
        return {market.ticker: market.pk for markets in by_knowledge.values() for market in markets}

    def _bury(self, closed: Iterable[Closed], seq: int, at: datetime) -> None:
        for position in closed:
            fees_paid = {} if position.fees_paid is None else {"fees_paid": position.fees_paid}
            models.Position.objects.filter(
                account_id=self.account_id, market__ticker=position.ticker
            ).update(
                quantity=0,
                exposure=0,
                payout=0,
                realized_pnl=position.realized_pnl,
                **fees_paid,
                average_price=None,
                break_even_price=None,
                **_WORTH_UNKNOWN,
                closed_reason=position.reason,
                held_at=position.held_at,
                seq=seq,
                updated_at=at,
            )


def _nothing_but_sums(changes: Changes) -> Changes:
    return replace(changes, positions=(), closed=(), markets=frozenset(), fills=(), notices=())


def _portfolio_columns(changes: Changes) -> dict[str, object]:
    cash = changes.cash
    balance = cash.balance if cash else None
    columns: dict[str, object] = {
        "cash": balance,
        "cash_provisional": cash.is_provisional if cash else False,
        "cash_as_of": cash.as_of if cash else None,
        "exchange_portfolio_value": cash.exchange_portfolio_value if cash else None,
        "reconciled_at": changes.reconciled_at,
    }
    if changes.left_out is not None:
        columns["left_out"] = changes.left_out
    if changes.sums:
        columns |= columns_of(changes.sums) | columns_of(changes.worth)
    return columns


def _position_columns(position: Position) -> dict[str, object]:
    mark = position.figures.mark
    return {
        **columns_of(position.holding),
        **columns_of(position.quote),
        **columns_of(position.figures),
        "mark": mark.value if mark else None,
        "mark_source": mark.source if mark else None,
        "market_status": position.state.status,
        "settlement_value": position.state.settlement_value,
        "unreadable": position.unreadable,
        "held_at": position.held_at,
        "day_pnl": position.day_pnl,
        "closed_reason": None,
    }


def columns_of(
    value: ConnectionState | Sums | Worth | Holding | Quote | Figures,
) -> dict[str, object]:
    # Not `asdict`, which copies what nobody changes: a tenth of a flush.
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def flush(
    *,
    account_id: int,
    epoch: int,
    number: int,
    at: datetime,
    stream: Mapping[str, object],
    positions: Sequence[Mapping[str, object]],
    moves_clock: bool = False,
    carries: bool = False,
) -> int | None:
    """
    Raise the account's `seq`, write its stream's columns and whole positions, and announce it.

    One statement in SQL, so it is all or nothing even outside a transaction; the ORM says the same
    in five, and takes longer to compose them than PostgreSQL to run them (2.4 against 0.9 ms). Its
    commit does not wait for the disk: a crash of the database loses some tenths of a second of what
    the exchange will say again, and readers cope with a `seq` that went back.

    Args:
        number: counts this epoch's flushes, and a flush that is tried again has a new one.
        stream: columns of `AccountStream` with their values; those left out keep theirs.
        positions: columns of `Position`, the same in each, `market_id` among them.
        moves_clock: whether the account's `updated_at` becomes `at` in any case; else only if a
            figure among the stream's columns is not what it was.
        carries: whether the rows come along with the announcement where they fit, so that they need
            not be read. They have all columns that can be told of the account, then, and nothing
            but this statement may change them in its transaction.
    Returns:
        The new `seq`; None when nothing was written, as the epoch is not the account's any more or
        a flush of a higher number has been.
    """
    # Rows as text, which PostgreSQL reads by the columns' own types: exact for NUMERIC.
    texts = [_encode(as_told(stream))]
    if positions:
        texts.append(_encode([as_told(each) for each in positions]))
    statement = _flush_statement(
        tuple(stream),
        tuple(positions[0]) if positions else (),
        carries=carries and doorbell.fits(*texts),
    )
    with prepared_cursor(connections[DEFAULT_DB_ALIAS]) as cursor:
        cursor.execute(
            statement, [ACCOUNT_CHANGED, account_id, epoch, number, at, moves_clock, *texts]
        )
        row = cursor.fetchone()
    return row[0] if row else None


@cache
def _flush_statement(stream: tuple[str, ...], position: tuple[str, ...], *, carries: bool) -> str:
    channel, account, epoch, number = "$1::text", "$2::bigint", "$3::bigint", "$4::bigint"
    at, moves_clock, stream_row, position_rows = (
        "$5::timestamptz",
        "$6::boolean",
        "$7::text",
        "$8::text",
    )
    stream_table, position_table = (
        models.AccountStream._meta.db_table,
        models.Position._meta.db_table,
    )
    figures = [name for name in stream if name not in _NO_FIGURES]
    if figures:
        before, after = (", ".join(f"{of}.{name}" for name in figures) for of in ("stream", "its"))
        moves_clock += f" OR ROW({before}) IS DISTINCT FROM ROW({after})"
    written = ""
    if position:
        names, values = ", ".join(position), ", ".join(f"its.{name}" for name in position)
        updates = ", ".join(
            f"{name} = excluded.{name}" for name in (*position, "seq", "updated_at")
        )
        written = f"""
            , written AS (
                INSERT INTO {position_table} (account_id, seq, updated_at, {names})
                SELECT {account}, raised.seq, {at}, {values}
                FROM raised,
                    json_populate_recordset(NULL::{position_table}, {position_rows}::json) AS its
                ON CONFLICT (account_id, market_id) DO UPDATE SET {updates}
            )
        """  # noqa: S608  # names of columns and tables, all from our own models
    rows = (stream_row, position_rows if position else "'[]'")
    payload = doorbell.payload_in_sql("raised", rows if carries else None)
    return f"""
        WITH raised AS (
            UPDATE {stream_table} AS stream
            SET seq = stream.seq + 1,
                flush = {number},
                updated_at = CASE WHEN {moves_clock} THEN {at} ELSE stream.updated_at END,
                {", ".join(f"{name} = its.{name}" for name in stream)}
            FROM json_populate_record(NULL::{stream_table}, {stream_row}::json) AS its
            WHERE stream.account_id = {account} AND stream.epoch = {epoch}
                AND stream.flush < {number}
            RETURNING stream.account_id, stream.epoch, stream.seq, stream.updated_at,
                cardinality(stream.left_out) AS left_out
        )
        {written}
        SELECT
            seq,
            pg_notify({channel}, {payload}),
            set_config('synchronous_commit', 'off', true)
        FROM raised
    """  # noqa: S608  # as above
