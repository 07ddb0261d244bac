"""
What happened becomes rows, each once, and what follows from it beside it.

A record that is newer than all others of its market costs the same however many there are: its
market's `Book` says what was held before it. One that is older makes its market be replayed, from
the beginning, as every holding after it may be another.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from accounts.models import Account
from kalshi import messages
from ledger import collateral_flows, holes, markets, models, trade_rows
from ledger.flows import NOTHING, Effect, effect_of
from ledger.record_rows import fill_row, rows_of, settlement_row
from ledger.records import Fill, Record, Settlement, Transfer, fill_of
from positions.models import Market
from positions.pnl import PAYOUT, ZERO, Holding

logger = logging.getLogger(__name__)

_BATCH = 1_000
_FOLLOWED = (
    "closed_count",
    "cash_flow",
    "realized_pnl",
    "quantity_after",
    "exposure_after",
    "realized_after",
    "fees_after",
)


def record_told(account_id: int, told: Sequence[messages.Fill], at: datetime) -> None:
    """Keep executions as the exchange tells them."""
    record(account_id, [fill_of(each) for each in told], at)


def record(account_id: int, records: Sequence[Record], at: datetime) -> int:
    """
    Keep records, all or none; those that are there already stay as they are.

    While older ones are still being read, what follows from them is left open: `follow_all` says it
    once they are there. One that can't be true is left out and named: a price is between nothing
    and a dollar, and of nothing there is no execution.

    Returns:
        How many are new.
    """
    records = [each for each in records if _is_possible(each)]
    if not records:
        return 0
    with transaction.atomic():
        holes.lock(account_id)
        account = Account.objects.get(pk=account_id)
        ids = markets.ids_of(account.environment, {each.ticker for each in records})
        new = _inserted(account_id, ids, records, at)
        by_ticker: dict[str, list[Record]] = defaultdict(list)
        if holes.being_filled(account_id).exists():
            return len(new)
        for each in new:
            by_ticker[each.ticker].append(each)
        books = {
            book.market_id: book
            for book in models.Book.objects.select_for_update().filter(
                account_id=account_id, market_id__in=[ids[ticker] for ticker in by_ticker]
            )
        }
        for ticker, of_market in by_ticker.items():
            market_id = ids[ticker]
            _follow(account_id, market_id, ticker, books.get(market_id), of_market)
        collateral_flows.follow(account_id, [ids[ticker] for ticker in by_ticker], new)
    return len(new)


def _is_possible(record: Record) -> bool:
    if isinstance(record, Fill):
        is_possible = 0 <= record.price <= PAYOUT and record.count > 0
    else:
        is_possible = record.value is None or 0 <= record.value <= PAYOUT
    if not is_possible:
        logger.warning("record not understood", extra={"ticker": record.ticker})
    return is_possible


def open_markets(account_id: int) -> list[Market]:
    """Those with records of which it is not said yet what follows from them."""
    mine = {"account_id": account_id, "cash_flow__isnull": True}
    ids = set(models.Fill.objects.filter(**mine).values_list("market_id", flat=True).distinct())
    ids |= set(models.Settlement.objects.filter(**mine).values_list("market_id", flat=True))
    return list(Market.objects.filter(pk__in=ids))


def follow_market(account_id: int, market: Market) -> None:
    """Say of all records of a market what follows from them."""
    replay_market(account_id, market.pk, market.ticker)
    collateral_flows.rewrite(account_id, market.event_ticker)


def follow_all(account_id: int) -> None:
    """Say of all records what follows from them, where that is open."""
    for market in open_markets(account_id):
        follow_market(account_id, market)


def record_transfers(account_id: int, transfers: Iterable[Transfer], at: datetime) -> int:
    """Keep the stages of transfers, each once; how many are new."""
    rows = [
        models.Transfer(
            account_id=account_id,
            transfer_id=each.id,
            kind=each.kind,
            at=each.at,
            method=each.method,
            amount=each.amount,
            fee=each.fee,
            status=each.status,
            cash_flow=each.cash_flow,
            recorded_at=at,
        )
        for each in transfers
    ]
    there = models.Transfer.objects.filter(account_id=account_id)
    before = there.count()
    models.Transfer.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
    return there.count() - before


def replay_market(account_id: int, market_id: int, ticker: str) -> None:
    """Reckon all that follows from one market's records anew, from the first to the last."""
    with transaction.atomic():
        if not holes.being_filled(account_id).exists():
            # Else a record that comes meanwhile would be forgotten by the book. While a hole is
            # open nothing follows from those, and there may be very many to go through here.
            holes.lock(account_id)
        held, last = NOTHING, None
        changed: list[models.Fill | models.Settlement] = []
        for each, row in rows_of(account_id, market_id, ticker):
            effect = effect_of(held, each)
            if _followed(effect) != {name: getattr(row, name) for name in _FOLLOWED}:
                _set(row, effect)
                changed.append(row)
            if len(changed) >= _BATCH:
                _save(changed)
                changed = []
            held, last = effect.after, each
        _save(changed)
        if last is not None:
            _keep_book(account_id, market_id, held, last)
        records = rows_of(account_id, market_id, ticker)
        trade_rows.rewrite(
            account_id, market_id, ((each, row.exposure_after or ZERO) for each, row in records)
        )


def _save(rows: Sequence[models.Fill | models.Settlement]) -> None:
    fills = [row for row in rows if isinstance(row, models.Fill)]
    settlements = [row for row in rows if isinstance(row, models.Settlement)]
    for table, some in (
        (models.Fill._meta.db_table, fills),
        (models.Settlement._meta.db_table, settlements),
    ):
        if some:
            _save_in(table, some)


def _save_in(table: str, rows: Sequence[models.Fill | models.Settlement]) -> None:
    # By arrays: the ORM's way takes two seconds for a thousand rows, idle in the transaction, which
    # the database ends then.
    columns = ", ".join(_FOLLOWED)
    arrays = ", ".join(["%s::numeric[]"] * len(_FOLLOWED))
    statement = f"""
        UPDATE {table} AS row SET {", ".join(f"{name} = new.{name}" for name in _FOLLOWED)}
        FROM unnest(%s::bigint[], {arrays}) AS new(id, {columns})
        WHERE row.id = new.id
    """  # noqa: S608  # names of columns and tables, all from our own models
    values = [[getattr(row, name) for row in rows] for name in _FOLLOWED]
    with connection.cursor() as cursor:
        cursor.execute(statement, [[row.pk for row in rows], *values])


def _follow(
    account_id: int,
    market_id: int,
    ticker: str,
    book: models.Book | None,
    new: Sequence[Record],
) -> None:
    ordered = sorted(new, key=lambda each: each.order)
    if book and (ordered[0].at, _id(ordered[0])) <= (book.last_at, book.last_id):
        replay_market(account_id, market_id, ticker)
        return
    held = _holding(book) if book else NOTHING
    followed = []
    for each in ordered:
        effect = effect_of(held, each)
        _update(account_id, market_id, each, effect)
        held = effect.after
        followed.append((each, held.exposure))
    trade_rows.keep(account_id, market_id, followed)
    _keep_book(account_id, market_id, held, ordered[-1])


def _id(record: Record) -> str:
    # Behind every trade of its instant: no id begins so.
    return record.trade_id if isinstance(record, Fill) else "\x7f"


def _holding(book: models.Book) -> Holding:
    return Holding(book.quantity, book.exposure, book.realized_pnl, book.fees_paid)


def _keep_book(account_id: int, market_id: int, held: Holding, last: Record) -> None:
    models.Book.objects.update_or_create(
        account_id=account_id,
        market_id=market_id,
        defaults={
            "quantity": held.quantity,
            "exposure": held.exposure,
            "realized_pnl": held.realized_pnl,
            "fees_paid": held.fees_paid,
            "last_at": last.at,
            "last_id": _id(last),
        },
    )


def _followed(effect: Effect) -> dict[str, Decimal]:
    after = effect.after
    return {
        "closed_count": effect.closed_count,
        "cash_flow": effect.cash_flow,
        "realized_pnl": effect.realized_pnl,
        "quantity_after": after.quantity,
        "exposure_after": after.exposure,
        "realized_after": after.realized_pnl,
        "fees_after": after.fees_paid,
    }


def _set(row: models.Fill | models.Settlement, effect: Effect) -> None:
    for name, value in _followed(effect).items():
        setattr(row, name, value)


def _update(account_id: int, market_id: int, record: Record, effect: Effect) -> None:
    if isinstance(record, Fill):
        models.Fill.objects.filter(account_id=account_id, trade_id=record.trade_id).update(
            **_followed(effect)
        )
    else:
        models.Settlement.objects.filter(
            account_id=account_id,
            market_id=market_id,
            at=record.at,
            revenue=record.revenue,
            result=record.result,
        ).update(**_followed(effect))


def _inserted(
    account_id: int, ids: Mapping[str, int], records: Sequence[Record], at: datetime
) -> list[Record]:
    """Insert what is not there; those records."""
    fills = {each.trade_id: each for each in records if isinstance(each, Fill)}
    known = set(
        models.Fill.objects.filter(account_id=account_id, trade_id__in=list(fills)).values_list(
            "trade_id", flat=True
        )
    )
    new_fills = [each for trade_id, each in fills.items() if trade_id not in known]
    models.Fill.objects.bulk_create(
        [fill_row(account_id, ids[each.ticker], each, at) for each in new_fills],
        batch_size=_BATCH,
    )
    new_settlements = []
    settlements = [each for each in records if isinstance(each, Settlement)]
    for each in sorted(settlements, key=lambda each: each.order):
        told = _corrected(account_id, ids[each.ticker], each)
        if told is not None:
            settlement_row(account_id, ids[told.ticker], told, at).save(force_insert=True)
            new_settlements.append(told)
    return [*new_fills, *new_settlements]


def _corrected(account_id: int, market_id: int, told: Settlement) -> Settlement | None:
    """A settlement as a new row: the first of its market, or what it changes; None if known."""
    before = (
        models.Settlement.objects.filter(account_id=account_id, market_id=market_id)
        .order_by("-at", "-id")
        .first()
    )
    if before is None:
        return told
    there = models.Settlement.objects.filter(account_id=account_id, market_id=market_id)
    if there.filter(at=told.at, revenue=told.revenue, result=told.result).exists():
        return None
    is_same = (before.revenue, before.result, before.value) == (
        told.revenue,
        told.result,
        told.value,
    )
    if is_same or before.at > told.at:
        return None
    return replace(told, paid_before=before.revenue)
