"""
The cash proof from the rows, and what it leaves unexplained, kept.

The database adds the flows up by the stretches between balances, so that a million fills cost one
pass over an account's rows and no object each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Mod

from ledger import following, holes, models
from ledger.periods import Period
from ledger.proof import STEP_OF_TRANSFER, Moved, Proof, StepKind, Told, prove
from positions.pnl import ZERO

# Of the newest balances: late records hardly ever belong to an older one.
_NEWEST = 50
# So many balances are all looked at whenever somebody asks for the proof.
_MANY = 5_000
# PostgreSQL's resolution: an instant after T is not before T + this.
_TICK = timedelta(microseconds=1)

# (kind, count, amount) of each stretch. A fill is up to three flows, as its cash flow is.
_FLOWS = f"""
    WITH bounds AS (SELECT %(bounds)s::timestamptz[] AS at)
    SELECT width_bucket(flow.at, bounds.at) AS stretch, 'fills', count(*),
           -sum(count * price),
           count(*) FILTER (WHERE fee <> 0), -sum(fee),
           count(*) FILTER (WHERE closed_count > 0), coalesce(sum(closed_count), 0)
    FROM {models.Fill._meta.db_table} AS flow, bounds WHERE {{mine}} GROUP BY stretch
    UNION ALL
    SELECT width_bucket(flow.at, bounds.at) AS stretch, 'settlements', count(*),
           sum(revenue - coalesce(paid_before, 0)), 0, 0, 0, 0
    FROM {models.Settlement._meta.db_table} AS flow, bounds
    WHERE {{mine}} AND revenue <> coalesce(paid_before, 0) GROUP BY stretch
    UNION ALL
    SELECT width_bucket(flow.at, bounds.at) AS stretch, kind, count(*), sum(cash_flow), 0, 0, 0, 0
    FROM {models.Transfer._meta.db_table} AS flow, bounds
    WHERE {{mine}} AND cash_flow <> 0 GROUP BY stretch, kind
    UNION ALL
    SELECT width_bucket(flow.at, bounds.at) AS stretch, 'collateral', count(*), sum(amount),
           0, 0, 0, 0
    FROM {models.CollateralFlow._meta.db_table} AS flow, bounds
    WHERE {{mine}} AND amount <> 0 GROUP BY stretch
"""  # noqa: S608  # names of tables, all from our own models
_OF_ACCOUNT = "flow.account_id = %(account)s AND flow.at <= %(until)s"
_OF_STRETCH = f"{_OF_ACCOUNT} AND flow.at > %(since)s"
_ALL = _FLOWS.format(mine=_OF_ACCOUNT)
_LATELY = _FLOWS.format(mine=_OF_STRETCH)


@dataclass(frozen=True, slots=True)
class Reach:
    """
    How far back an account's records go.

    Attributes:
        complete_from: from then on nothing is missing; None where there is no record, and where
            nobody has begun to read them.
        is_whole: whether that is the account's beginning.
    """

    complete_from: datetime | None
    is_whole: bool


def prove_account(account_id: int) -> Proof | None:
    """
    The proof over all that is kept; None while there is no balance to begin with, and while older
    records are still being read or a long market is reckoned anew: until then it is open what
    follows from some.

    Where there are very many balances not each is looked at again: the ends of every interval that
    `note` found unexplained are, and of the others some. `keep` looks at all.
    """
    if is_reading_past(account_id):
        return None
    if (selected := _selected(account_id)) is not None:
        ends, rows = selected
        proof = _proved(account_id, rows)
        if proof and proof.opening.until <= ends[0] and proof.closing.until >= ends[1]:
            return proof
    return _proved(account_id, _balances(account_id))


def is_reading_past(account_id: int) -> bool:
    """Whether older records are still being read, or it is open what follows from some."""
    return holes.being_filled(account_id).exists() or following.is_open(account_id)


def reach(account_id: int) -> Reach:
    """How far back the records go, by the holes that are still open."""
    open_holes = models.Hole.objects.filter(account_id=account_id, filled_at=None)
    ends = list(open_holes.values_list("until", flat=True))
    if ends:
        return Reach(max(ends), is_whole=False)
    if not holes.is_past_read(account_id):
        return Reach(None, is_whole=False)
    mine = {"account_id": account_id}
    firsts = [
        rows.filter(**mine).aggregate(first=Min("at"))["first"]
        for rows in (models.Fill.objects, models.Settlement.objects, models.Transfer.objects)
    ]
    return Reach(min((at for at in firsts if at is not None), default=None), is_whole=True)


def disagreements(account_id: int) -> list[tuple[int, str, str]]:
    """Account, market and words of each figure in which the exchange shows another than ours."""
    positions = models.RecordedPosition.objects.filter(account_id=account_id).exclude(
        disagreement=""
    )
    told = positions.exclude(disagreement=None).order_by("market__ticker")
    return [
        (account_id, ticker, text or "")
        for ticker, text in told.values_list("market__ticker", "disagreement")
    ]


def note(account_id: int, at: datetime, touched: Period | None = None) -> None:
    """
    Keep what the newest balances leave unexplained.

    To be called after each new balance, and with the period of records that came late: the
    intervals which they lie in are looked at again. Costs as much as the flows of these. Does
    nothing while older records are still being read; `keep` is to be called once they are.
    """
    if holes.being_filled(account_id).exists():
        return
    newest = _newest(account_id, _NEWEST)
    is_older = newest and touched and (touched.since is None or touched.since <= newest[0].until)
    if is_older and touched and (around := _around(account_id, touched)):
        _keep(account_id, around, at, is_newest=around[-1].until >= newest[-1].until)
    _keep(account_id, newest, at)


def keep(account_id: int, at: datetime) -> Proof | None:
    """As `prove_account`, with each balance looked at; what is unexplained is kept."""
    if is_reading_past(account_id):
        return None
    return _keep(account_id, _balances(account_id), at, since_ever=True)


def _keep(
    account_id: int,
    rows: Sequence[Told],
    at: datetime,
    *,
    since_ever: bool = False,
    is_newest: bool = True,
) -> Proof | None:
    with transaction.atomic():
        holes.keep(account_id)
        proof = _proved(account_id, rows, since_ever=since_ever)
        if proof is None:
            return None
        there = models.Unexplained.objects.select_for_update().filter(
            account_id=account_id, until__gt=proof.opening.until
        )
        if not is_newest:
            there = there.filter(until__lte=proof.closing.until)
        found = {each.until: each for each in proof.unexplained}
        for row in there:
            # Where there is none any more it was explained, or its balance is no checkpoint now.
            each = found.pop(row.until, None)
            amount, since = (each.amount, each.since) if each else (ZERO, row.since)
            if (row.amount, row.since) != (amount, since):
                row.amount, row.since = amount, since
                row.save(update_fields=["amount", "since"])
        models.Unexplained.objects.bulk_create(
            [
                models.Unexplained(
                    account_id=account_id,
                    since=each.since,
                    until=each.until,
                    amount=each.amount,
                    noticed_at=at,
                )
                for each in found.values()
            ],
            # Another writer may have noticed it at the same moment.
            ignore_conflicts=True,
            batch_size=1_000,
        )
    return proof


def _proved(account_id: int, rows: Sequence[Told], *, since_ever: bool = True) -> Proof | None:
    return prove(rows, _moved(account_id, rows, since_ever=since_ever)) if rows else None


def _selected(account_id: int) -> tuple[tuple[datetime, datetime], list[Told]] | None:
    """
    Some of very many balances: the oldest, the newest, those that an unexplained interval lies
    between, and every so manieth; with the ends of the oldest ones and the beginning of the newest.

    None where there are not so many.
    """
    all_rows = _known(account_id)
    count = all_rows.count()
    if count <= _MANY:
        return None
    untils = all_rows.values_list("known_until", flat=True)
    oldest = untils.order_by("known_until")[_NEWEST]
    newest = untils.order_by("-known_until")[_NEWEST]
    ends = models.Unexplained.objects.filter(account_id=account_id).exclude(amount=0)
    chosen = all_rows.alias(place=Mod("pk", count // _MANY + 1)).filter(
        Q(place=0)
        | Q(known_until__lte=oldest)
        | Q(known_until__gte=newest)
        | Q(known_until__in=[at for pair in ends.values_list("since", "until") for at in pair])
    )
    return (oldest, newest), _told(chosen.order_by("known_until", "pk"))


def _newest(account_id: int, most: int) -> list[Told]:
    """
    The newest balances that have a checkpoint before the last; more than `most` where they must
    be, as flows lie within their times.
    """
    rows = _balances(account_id, most=most)
    while len(rows) == most:
        proof = _proved(account_id, rows, since_ever=False)
        if proof and proof.intervals:
            break
        most *= 10
        rows = _balances(account_id, most=most)
    return rows


def _around(account_id: int, touched: Period) -> list[Told]:
    """The balances from a checkpoint before a period to one after it; empty if none is before."""
    oldest_first = _known(account_id).order_by("known_until")
    first = oldest_first.values_list("known_since", flat=True).first()
    if first is None or (touched.until and touched.until <= first):
        # Of before all balances: no interval has any of it.
        return []
    before = _up_to_checkpoint(account_id, lambda most: _before(account_id, touched, most))
    after = _up_to_checkpoint(account_id, lambda most: _after(account_id, touched, most))
    return _balances(
        account_id,
        since=before[0].until if before else None,
        until=after[-1].until if after else None,
    )


def _up_to_checkpoint(account_id: int, read: Callable[[int], list[Told]]) -> list[Told]:
    """Balances on one side of an instant, as many as are needed to have a checkpoint."""
    most = _NEWEST
    while True:
        rows = read(most)
        if len(rows) < most or _proved(account_id, rows, since_ever=False):
            return rows
        most *= 10


def _before(account_id: int, period: Period, most: int) -> list[Told]:
    if period.since is None:
        return []
    rows = _known(account_id).filter(known_until__lt=period.since)
    return _told(rows.order_by("-known_until", "-pk")[:most])[::-1]


def _after(account_id: int, period: Period, most: int) -> list[Told]:
    if period.until is None:
        return []
    rows = _known(account_id).filter(known_until__gte=period.until, known_since__gte=period.until)
    return _told(rows.order_by("known_until", "pk")[:most])


def _balances(
    account_id: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    most: int | None = None,
) -> list[Told]:
    """Balances whose own data time is known, in their order; of `most` the newest."""
    rows = _known(account_id)
    if since is not None:
        rows = rows.filter(known_until__gte=since)
    if until is not None:
        rows = rows.filter(known_until__lte=until)
    return _told(rows.order_by("-known_until", "-pk")[:most])[::-1]


def _known(account_id: int) -> QuerySet[models.Balance]:
    return models.Balance.objects.filter(account_id=account_id, known_since__isnull=False)


def _told(rows: QuerySet[models.Balance]) -> list[Told]:
    found = rows.values_list("known_since", "known_until", "amount")
    return [Told(since, until, amount) for since, until, amount in found if since]


def _moved(account_id: int, rows: Sequence[Told], *, since_ever: bool) -> Iterator[Moved]:
    """
    The flows, those added up that no balance tells apart; `since_ever` those before all too.

    One of a stretch stands at its end, which is as good as anywhere in it.
    """
    ends = sorted({each.since for each in rows} | {each.until for each in rows})
    statement = _ALL if since_ever else _LATELY
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "account": account_id,
                "bounds": [end + _TICK for end in ends],
                "since": ends[0],
                "until": ends[-1],
            },
        )
        for stretch, told, count, amount, fees, fee, nettings, netted in cursor.fetchall():
            at = ends[stretch]
            kind: StepKind = STEP_OF_TRANSFER.get(told, told)
            yield Moved(at, kind, amount, count)
            if fees:
                yield Moved(at, "fees", fee, fees)
            if nettings:
                yield Moved(at, "netted_pairs", netted, nettings)
