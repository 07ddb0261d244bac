"""
What follows from the records of each market, beside them: what each did, and what was held after.

A record that is newer than all others of its market costs the same however many there are: its
market's `RecordedPosition` says what was held before it. One that is older changes all after it, so
its market is replayed from the beginning, and so is what came back early on its event: at once
where they are short. Where one is long, what follows is left open, of what comes meanwhile too,
until `follow_market` has said it: so long the writer of positions must not wait.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import QuerySet

from ledger import collateral_flows, holes, models, trade_rows
from ledger.collateral_flows import Step
from ledger.flows import NOTHING, Effect, effect_of
from ledger.record_rows import rows_of
from ledger.records import Fill, Record
from positions.models import Market
from positions.pnl import ZERO, Holding

_BATCH = 1_000
# Records of a market that are replayed in some 50 ms; ten thousand take one or two seconds.
AT_ONCE = 300
_FOLLOWED = (
    "closed_count",
    "cash_flow",
    "realized_pnl",
    "quantity_after",
    "exposure_after",
    "realized_after",
    "fees_after",
)


def waiting(account_id: int, market_ids: Collection[int]) -> set[int]:
    """Those of these markets in which it is open what follows from some record."""
    fills, payouts = (
        rows.filter(market_id__in=market_ids).values_list("market_id") for rows in _open(account_id)
    )
    return {market_id for (market_id,) in fills.union(payouts)}


def follow(
    account_id: int, ids: Mapping[str, int], new: Sequence[Record], left_open: Collection[int]
) -> None:
    """
    Say what follows from records that were just stored, where that is quickly said.

    Within the transaction that stored them.

    Args:
        ids: of their markets, by ticker.
        left_open: those of the markets that were waiting before.
    """
    by_ticker: dict[str, list[Record]] = defaultdict(list)
    for each in sorted(new, key=lambda each: each.order):
        if ids[each.ticker] not in left_open:
            by_ticker[each.ticker].append(each)
    positions = {
        position.market_id: position
        for position in models.RecordedPosition.objects.select_for_update().filter(
            account_id=account_id, market_id__in=[ids[ticker] for ticker in by_ticker]
        )
    }
    late = {
        ids[ticker]
        for ticker, of_market in by_ticker.items()
        if _is_late(positions.get(ids[ticker]), of_market[0])
    }
    events = collateral_flows.touched(
        account_id, {ids[ticker]: of_market[0].at for ticker, of_market in by_ticker.items()}
    )
    anew = [event for event in events if not event.is_latest or late & event.market_ids]
    too_long = {
        market_id
        for event in anew
        if not collateral_flows.is_short(account_id, event.event_ticker)
        for market_id in event.market_ids
    }
    steps: dict[int, list[Step]] = {}
    for ticker, of_market in by_ticker.items():
        market_id = ids[ticker]
        if market_id in too_long:
            continue
        if market_id not in late:
            steps[market_id] = _carry_on(account_id, market_id, positions.get(market_id), of_market)
        elif _is_short(account_id, market_id):
            _replay(account_id, market_id, ticker)
            steps[market_id] = []
    for event in events:
        followed = event.market_ids & steps.keys()
        if not followed:
            continue
        if not event.is_latest or late & followed:
            collateral_flows.rewrite(account_id, event.event_ticker)
        else:
            of_event = [step for market_id in followed for step in steps[market_id]]
            collateral_flows.follow(account_id, event, of_event)


def late_markets(account_id: int) -> list[Market]:
    """Those that wait for `follow_market`; none while older records are still being read."""
    return [] if holes.being_filled(account_id).exists() else open_markets(account_id)


def open_markets(account_id: int) -> list[Market]:
    """Those with records of which it is not said yet what follows from them."""
    fills, payouts = (rows.values_list("market_id") for rows in _open(account_id))
    return list(Market.objects.filter(pk__in=[pk for (pk,) in fills.union(payouts)]))


def is_open(account_id: int) -> bool:
    """Whether it is open what follows from some record."""
    return any(rows.exists() for rows in _open(account_id))


def _open(account_id: int) -> tuple[QuerySet[models.Fill], QuerySet[models.Settlement]]:
    mine = {"account_id": account_id, "cash_flow__isnull": True}
    return models.Fill.objects.filter(**mine), models.Settlement.objects.filter(**mine)


def follow_market(account_id: int, market: Market) -> datetime | None:
    """
    Say of all records of a market what follows from them.

    Returns:
        The time of the oldest of which it is something else than before, if there is one.
    """
    times = (
        _replay(account_id, market.pk, market.ticker),
        collateral_flows.rewrite(account_id, market.event_ticker),
    )
    return _earliest(times)


def _is_late(position: models.RecordedPosition | None, first: Record) -> bool:
    """Whether a market has a record that comes after this one."""
    return position is not None and (first.at, _id(first)) <= (position.last_at, position.last_id)


def _carry_on(
    account_id: int, market_id: int, position: models.RecordedPosition | None, new: Sequence[Record]
) -> list[Step]:
    """Say what follows from records that are newer than all others of their market."""
    held = _holding(position) if position else NOTHING
    followed, steps = [], []
    for each in new:
        effect = effect_of(held, each)
        _update(account_id, market_id, each, effect)
        steps.append(Step(each.at, market_id, held.quantity, effect.after.quantity))
        held = effect.after
        followed.append((each, held.exposure))
    trade_rows.keep(account_id, market_id, followed)
    _keep_position(account_id, market_id, held, new[-1])
    return steps


@dataclass(frozen=True, slots=True)
class _Passed:
    """How many records there were, what is held after them, the last, and the first changed."""

    count: int
    held: Holding
    last: Record | None
    changed_at: datetime | None


def _replay(account_id: int, market_id: int, ticker: str) -> datetime | None:
    """Reckon all that follows from one market's records anew, from the first to the last."""
    with transaction.atomic():
        holes.keep(account_id)
        passed = _pass(account_id, market_id, ticker)
        times = [passed.changed_at]
        # Only now, as whoever records waits for it. Where something is open nobody else says what
        # follows, but a record may have come meanwhile, which the position would forget.
        holes.lock(account_id)
        if _count(account_id, market_id) != passed.count:
            passed = _pass(account_id, market_id, ticker)
            times.append(passed.changed_at)
        if passed.last is not None:
            _keep_position(account_id, market_id, passed.held, passed.last)
    return _earliest(times)


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)


def _pass(account_id: int, market_id: int, ticker: str) -> _Passed:
    count, held, last, changed_at = 0, NOTHING, None, None
    changed: list[models.Fill | models.Settlement] = []
    for each, row in rows_of(account_id, market_id, ticker):
        effect = effect_of(held, each)
        if _followed(effect) != {name: getattr(row, name) for name in _FOLLOWED}:
            _set(row, effect)
            changed.append(row)
            changed_at = changed_at or each.at
        if len(changed) >= _BATCH:
            _save(changed)
            changed = []
        count, held, last = count + 1, effect.after, each
    _save(changed)
    records = rows_of(account_id, market_id, ticker)
    trade_rows.rewrite(
        account_id, market_id, ((each, row.exposure_after or ZERO) for each, row in records)
    )
    return _Passed(count, held, last, changed_at)


def _count(account_id: int, market_id: int) -> int:
    mine = {"account_id": account_id, "market_id": market_id}
    return (
        models.Fill.objects.filter(**mine).count()
        + models.Settlement.objects.filter(**mine).count()
    )


def _is_short(account_id: int, market_id: int) -> bool:
    fills = models.Fill.objects.filter(account_id=account_id, market_id=market_id)
    return len(fills.values_list("pk")[: AT_ONCE + 1]) <= AT_ONCE


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


def _id(record: Record) -> str:
    # Behind every trade of its instant: no id begins so.
    return record.trade_id if isinstance(record, Fill) else "\x7f"


def _holding(position: models.RecordedPosition) -> Holding:
    return Holding(position.quantity, position.exposure, position.realized_pnl, position.fees_paid)


def _keep_position(account_id: int, market_id: int, held: Holding, last: Record) -> None:
    models.RecordedPosition.objects.update_or_create(
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
