"""
Equity points, one a minute while the account's worth is known, and the baseline of its day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from ledger import days, holes, models
from ledger.periods import STALE_AFTER, day_at, start_of
from positions.cash import UNTOLD_AGE
from positions.day import Baseline
from positions.decimal_text import plain
from positions.pnl import ZERO

# Balances that may be of one instant: they are asked for a second apart.
_OF_AN_INSTANT = 20


@dataclass(frozen=True, slots=True)
class Valued:
    """The account's worth at an instant; `nets` as of `EquityPoint`."""

    at: datetime
    total_value: Decimal
    cash: Decimal
    positions_value: Decimal
    collateral_returned: Decimal | None
    nets: Mapping[str, Decimal | None]


def add(account_id: int, valued: Valued) -> None:
    """Store a point; the first of a day makes it, or the one before it, the day's baseline."""
    points = models.EquityPoint.objects.filter(account_id=account_id)
    start = day_start(valued.at)
    with transaction.atomic():
        last = points.order_by("-at").first()
        is_first = last is None or last.at < start
        is_last_good = last is not None and start - last.at <= STALE_AFTER
        if is_first and last is not None and is_last_good:
            points.filter(pk=last.pk).update(is_baseline=True)
        # What each market was worth is kept of the newest point and of baselines alone.
        points.filter(at__gte=start - STALE_AFTER, is_baseline=False, nets__isnull=False).update(
            nets=None
        )
        point = models.EquityPoint(
            account_id=account_id,
            at=valued.at,
            total_value=valued.total_value,
            cash=valued.cash,
            positions_value=valued.positions_value,
            collateral_returned=valued.collateral_returned,
            nets={ticker: plain(net) for ticker, net in valued.nets.items()},
            unpriced_count=sum(net is None for net in valued.nets.values()),
            is_baseline=is_first and not is_last_good,
        )
        models.EquityPoint.objects.bulk_create([point], ignore_conflicts=True)


def came(account_id: int, at: datetime, cash_flow: Decimal) -> None:
    """
    A transfer of that instant has become known: to the points since then that lack it, it is added.

    There is no feed of the balance: a point has what the balance before it had, and a transfer
    counts from the instant that the exchange tells for it.
    """
    there = models.Balance.objects.filter(account_id=account_id)
    if not there.exists():
        # Nobody can say what the points have.
        return
    late = models.EquityPoint.objects.filter(account_id=account_id, at__gte=at)
    told = _first_with(there, at, cash_flow)
    if told is not None:
        late = late.filter(at__lt=max(told.at, told.known_until))
    late.update(cash=F("cash") + cash_flow, total_value=F("total_value") + cash_flow)


def baseline(account_id: int, at: datetime) -> Baseline | None:
    """What the P&L of the day of `at` is reckoned from; None before its first point."""
    start = day_start(at)
    points = models.EquityPoint.objects.filter(account_id=account_id, at__lte=at)
    row = days.baseline(
        points.filter(at__lt=start).order_by("-at").first(),
        points.filter(at__gte=start).order_by("at").first(),
        start,
    )
    if row is None:
        return None
    nets: dict[str, Decimal | None] = {}
    if row.nets is not None:
        # Else, as when days begin elsewhere now, it is not known which markets were held then.
        nets = _flat_then(account_id, row.at)
        nets |= {ticker: None if net is None else Decimal(net) for ticker, net in row.nets.items()}
    flows = models.Transfer.objects.filter(account_id=account_id, at__gt=row.at)
    return Baseline(
        at=row.at,
        total_value=row.total_value,
        nets=nets,
        is_complete=row.nets is not None and not holes.being_filled(account_id).exists(),
        net_transfers=flows.aggregate(all=Sum("cash_flow"))["all"] or ZERO,
        entered=row.entered,
    )


def keep_changed(account_id: int, changed: Baseline) -> None:
    """Store what entered a baseline since it was stored: positions that had no mark in it."""
    with transaction.atomic():
        points = models.EquityPoint.objects.select_for_update().filter(account_id=account_id)
        row = points.filter(at=changed.at).first()
        if row and row.nets is not None:
            # What flat markets had made is not its own: it is reckoned from the records.
            row.nets = {
                ticker: plain(changed.nets.get(ticker)) if net is None else net
                for ticker, net in row.nets.items()
            }
            row.entered = changed.entered
            row.save(update_fields=["nets", "entered"])


def locked_in(account_id: int) -> dict[str, Decimal]:
    """Realized P&L less fees of the markets traded before in which nothing is held."""
    if holes.being_filled(account_id).exists():
        # Not yet what they say.
        return {}
    flat = models.RecordedPosition.objects.filter(account_id=account_id, quantity=0)
    return {
        ticker: realized - fees
        for ticker, realized, fees in flat.values_list(
            "market__ticker", "realized_pnl", "fees_paid"
        )
    }


def day_start(at: datetime) -> datetime:
    """The beginning of an instant's day."""
    zone = settings.TRADING_DAY_TIMEZONE
    return start_of(day_at(at, zone), zone)


def _first_with(
    told: QuerySet[models.Balance], at: datetime, cash_flow: Decimal
) -> models.Balance | None:
    """The first balance that contains a flow of that instant."""
    before = told.filter(known_until__lt=at).order_by("-known_until", "-pk").first()
    for each in told.filter(known_until__gte=at).order_by("known_until", "pk")[:_OF_AN_INSTANT]:
        if (each.known_since or each.known_until - UNTOLD_AGE) >= at:
            return each
        # It may be of before the flow: then its amount hardly differs from the last.
        moved = each.amount - (before.amount if before else each.amount)
        if abs(moved - cash_flow) < abs(moved):
            return each
        before = each
    return None


def _flat_then(account_id: int, at: datetime) -> dict[str, Decimal | None]:
    """
    Net P&L of markets that were flat at an instant and were traded after it.

    Of the others that are not held now nothing is asked, and those held then are in its point. One
    that was filled so short before that the point did not know of it is flat in it, as before.
    """
    is_past_read = not holes.being_filled(account_id).exists()
    touched = models.Fill.objects.filter(account_id=account_id, at__gt=at).values("market_id")
    before = models.Fill.objects.filter(
        account_id=account_id, market_id=OuterRef("market_id"), at__lte=at, quantity_after=0
    ).order_by("-at", "-trade_id")
    paid = models.Settlement.objects.filter(
        account_id=account_id, market_id=OuterRef("market_id"), at__lte=at, quantity_after=0
    ).order_by("-at", "-id")
    rows = (
        models.RecordedPosition.objects.filter(account_id=account_id, market_id__in=touched)
        .annotate(
            filled_at=Subquery(before.values("at")[:1]),
            filled_realized=Subquery(before.values("realized_after")[:1]),
            filled_fees=Subquery(before.values("fees_after")[:1]),
            paid_at=Subquery(paid.values("at")[:1]),
            paid_realized=Subquery(paid.values("realized_after")[:1]),
            paid_fees=Subquery(paid.values("fees_after")[:1]),
        )
        .values_list(
            "market__ticker",
            "filled_at",
            "filled_realized",
            "filled_fees",
            "paid_at",
            "paid_realized",
            "paid_fees",
        )
    )
    nets: dict[str, Decimal | None] = {}
    for ticker, filled_at, *filled, paid_at, paid_realized, paid_fees in rows:
        if filled_at is None and paid_at is None:
            if is_past_read:
                nets[ticker] = ZERO
            continue
        is_paid = paid_at is not None and (filled_at is None or paid_at >= filled_at)
        realized, fees = (paid_realized, paid_fees) if is_paid else filled
        if realized is not None and fees is not None:
            nets[ticker] = realized - fees
    return nets
