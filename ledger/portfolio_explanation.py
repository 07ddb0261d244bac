"""How an account's sums and its day come about."""

from django.conf import settings
from django.db.models import Sum

from ledger import explaining_sums, models, paid_markets
from ledger.explaining import Explanation
from ledger.explaining_sums import DayBaseline, Part, Returned, Shown
from positions import reading
from positions.collateral import returned
from positions.models import AccountStream, Position
from positions.pnl import ZERO


def explained(account_id: int) -> list[Explanation]:
    """All of them, as the last flush left the figures."""
    rows = reading.read(account_id)
    stream = rows.stream or AccountStream()
    return list(
        explaining_sums.explained(
            _shown(stream),
            [_part(row) for row in rows.positions],
            returned=_returned(account_id, rows.positions),
            baseline=_baseline(account_id, stream),
            mark_price=settings.MARK_PRICE,
        )
    )


def _shown(row: AccountStream) -> Shown:
    return Shown(
        cash=row.cash,
        cash_as_of=row.cash_as_of,
        is_cash_provisional=row.cash_provisional,
        positions_value=row.positions_value,
        collateral_returned=row.collateral_returned,
        total_value=row.total_value,
        exposure=row.exposure,
        unrealized_pnl=row.unrealized_pnl,
        unrealized_pnl_percent=row.unrealized_pnl_percent,
        realized_pnl=row.realized_pnl,
        fees_paid=row.fees_paid,
        estimated_value=row.estimated_value,
        exchange_portfolio_value=row.exchange_portfolio_value,
        day_pnl=row.day_pnl,
    )


def _part(row: Position) -> Part:
    return Part(
        ticker=row.market.ticker,
        exposure=row.exposure,
        realized_pnl=row.realized_pnl or ZERO,
        fees_paid=row.fees_paid,
        market_value=row.market_value,
        mark_source=row.mark_source,
        priced_at=row.priced_at,
    )


def _returned(account_id: int, rows: list[Position]) -> list[Returned] | None:
    """By event, where netting is on; None where it can't be said of one."""
    decided = {market.event_ticker for market in paid_markets.known(account_id) if market.is_yes}
    events: dict[str, list[Position]] = {}
    for row in rows:
        events.setdefault(row.market.event_ticker, []).append(row)
    found = []
    for event_ticker, held in events.items():
        amount = returned(
            held[0].market.collateral_return_type,
            [row.quantity for row in held],
            is_netting=True,
            has_yes_won=event_ticker in decided,
        )
        if amount is None:
            return None
        if amount:
            found.append(Returned(event_ticker, amount))
    return found


def _baseline(account_id: int, stream: AccountStream) -> DayBaseline | None:
    if stream.day_pnl_since is None:
        return None
    point = models.EquityPoint.objects.filter(
        account_id=account_id, at=stream.day_pnl_since
    ).first()
    if point is None:
        return None
    since = models.Transfer.objects.filter(account_id=account_id, at__gt=point.at)
    return DayBaseline(
        at=point.at,
        total_value=point.total_value,
        entered=point.entered,
        net_transfers=since.aggregate(all=Sum("cash_flow"))["all"] or ZERO,
    )
