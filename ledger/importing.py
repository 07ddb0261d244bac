"""
Trades of the exchange's own statement become rows: all of a file or none, each once.

They are for what is older than the exchange still tells. Where the ledger has its own records, a
trade would count twice: it is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from typing import BinaryIO, TextIO

from django.db import connection, transaction
from django.db.models import Max, Min

from accounts.models import Account
from ledger import holes, models, statement
from positions.documents import instant

# The first of the lock's two keys, so that it meets no others; see also `postgres.claims`.
_LOCK_NAMESPACE = 0x494D  # "IM"
_BATCH = 1_000
# Named one by one; of the others it is said how many there are.
MOST_NAMED = 20


class ImportRefused(Exception):
    """Nothing was imported, and why: a sentence for a person, one line for each reason."""


@dataclass(slots=True)
class Imported:
    """What became of a file; `known` were there already, `left_out` are no trades."""

    new: int = 0
    known: int = 0
    left_out: int = 0
    first_closed_at: datetime | None = None
    last_closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Covered:
    """
    What the ledger has its own records of.

    Attributes:
        since: from when on they are complete.
        by_ticker: of each market the first and the last record.
    """

    since: datetime
    by_ticker: Mapping[str, tuple[datetime, datetime]]

    def overlap(self, trade: statement.Trade) -> str | None:
        """How a trade reaches into it, in words; None if it does not."""
        if trade.closed_at >= self.since:
            return (
                f"closes at {instant(trade.closed_at)}, and the account's own records are "
                f"complete from {instant(self.since)} on"
            )
        first, last = self.by_ticker.get(trade.ticker, (None, None))
        if first and last and trade.opened_at <= last and trade.closed_at >= first:
            since, until = max(first, trade.opened_at), min(last, trade.closed_at)
            return (
                f"overlaps the account's own records of {trade.ticker} from {instant(since)} to "
                f"{instant(until)}"
            )
        return None


@dataclass(slots=True)
class _Reasons:
    """Why a file is refused, the first of them in words."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, message: str) -> None:
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(f"line {line}: {message}")

    def __str__(self) -> str:
        more = self.count - len(self.named)
        return "\n".join([*self.named, *([f"and {more} more"] if more else [])])


def import_file(
    account: Account, source: BinaryIO, *, on_progress: Callable[[int], None] = lambda _: None
) -> Imported:
    """
    Import a statement of one account.

    Args:
        source: the statement; left open, at its end.
        on_progress: told now and then how many trades have been read.
    Raises:
        ImportRefused: a row can't be understood or overlaps the ledger, or the ledger is still
            to be read.
        OSError: the file can't be read.
    """
    # What is no UTF-8 is told with its line, so that it must not end the reading.
    file = TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape")
    try:
        with transaction.atomic():
            _only_import_of(account.pk)
            return _import(account.pk, file, on_progress)
    finally:
        file.detach()


def _only_import_of(account_id: int) -> None:
    """One import of an account at a time, until the transaction ends."""
    # No row is locked: a worker that takes the account over meanwhile needs the account's.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s::int, %s::int)", [_LOCK_NAMESPACE, account_id]
        )


def covered(account_id: int) -> Covered:
    """
    What the ledger has its own records of.

    Raises:
        ImportRefused: it is still to be read, and may yet get what a statement tells.
    """
    followed = models.Followed.objects.filter(account_id=account_id).first()
    if followed is None:
        raise ImportRefused(
            "The account's own records have not been read from the exchange yet. Import when they "
            "are there: the worker reads them."
        )
    hole = holes.next_to_fill(account_id)
    if hole is not None:
        since = "the beginning" if hole.since is None else instant(hole.since)
        raise ImportRefused(
            f"The account's own records from {since} to {instant(hole.until)} are still being "
            "read from the exchange. Import when they are there."
        )
    mine = {"account_id": account_id}
    by_ticker: dict[str, tuple[datetime, datetime]] = {}
    for model in (models.Fill, models.Settlement):
        spans = model.objects.filter(**mine).values_list("market__ticker")
        for ticker, first, last in spans.annotate(Min("at"), Max("at")).order_by():
            known = by_ticker.get(ticker, (first, last))
            by_ticker[ticker] = (min(first, known[0]), max(last, known[1]))
    given_up = models.Hole.objects.filter(**mine, filled_at__isnull=True).aggregate(Max("until"))
    return Covered(given_up["until__max"] or _beginning(followed, by_ticker), by_ticker)


def _beginning(
    followed: models.Followed, by_ticker: Mapping[str, tuple[datetime, datetime]]
) -> datetime:
    """The first record, or when the account began to be followed if that is earlier."""
    opened = models.Hole.objects.filter(account_id=followed.account_id).aggregate(
        Min("opened_until")
    )
    begun = opened["opened_until__min"] or followed.until
    return min([begun, *(first for first, _ in by_ticker.values())])


def _import(account_id: int, file: TextIO, on_progress: Callable[[int], None]) -> Imported:
    ours = covered(account_id)
    imported, reasons = Imported(), _Reasons()
    seen: Counter[bytes] = Counter()
    batch: dict[str, statement.Trade] = {}
    for each in statement.read(_lines(file)):
        match each:
            case statement.Problem():
                reasons.add(each.line, each.message)
            case statement.NoTrade():
                imported.left_out += 1
            case statement.Trade():
                identity = each.identity
                seen[identity] += 1
                batch[statement.fingerprint(identity, seen[identity])] = each
        if len(batch) >= _BATCH:
            _store(account_id, batch, ours, imported, reasons)
            on_progress(imported.new + imported.known)
            batch = {}
    _store(account_id, batch, ours, imported, reasons)
    if reasons.count:
        raise ImportRefused(str(reasons))
    return imported


def _store(
    account_id: int,
    trades: Mapping[str, statement.Trade],
    ours: Covered,
    imported: Imported,
    reasons: _Reasons,
) -> None:
    mine = models.ImportedTrade.objects.filter(account_id=account_id, fingerprint__in=list(trades))
    known = set(mine.values_list("fingerprint", flat=True))
    rows = []
    for fingerprint, trade in trades.items():
        if fingerprint in known:
            continue
        if overlap := ours.overlap(trade):
            reasons.add(trade.line, overlap)
        rows.append(_row(account_id, trade, fingerprint))
    if not reasons.count:
        models.ImportedTrade.objects.bulk_create(rows, batch_size=_BATCH)
    imported.known += len(known)
    imported.new += len(rows)
    closed = [row.closed_at for row in rows]
    known_ends = [at for at in (imported.first_closed_at, imported.last_closed_at) if at]
    imported.first_closed_at = min(closed + known_ends, default=None)
    imported.last_closed_at = max(closed + known_ends, default=None)


def _row(account_id: int, trade: statement.Trade, fingerprint: str) -> models.ImportedTrade:
    return models.ImportedTrade(
        account_id=account_id,
        ticker=trade.ticker,
        side=trade.side,
        opened_at=trade.opened_at,
        closed_at=trade.closed_at,
        count=trade.count,
        average_entry_price=trade.entry_price,
        average_exit_price=trade.exit_price,
        fees_paid=trade.fees_paid,
        net_pnl=trade.net_pnl,
        result=trade.result,
        fingerprint=fingerprint,
    )


def _lines(file: TextIO) -> Iterator[str]:
    # Never a whole line without a limit: it may be the whole file.
    while line := file.readline(statement.LONGEST_LINE + 1):
        yield line
