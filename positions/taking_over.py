"""
Taking an account over from the worker that had it: its epoch is raised, and what is known loaded.

Whoever wrote it before finds no row to update from then on, whatever it still believes.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from kalshi.clocks import reached
from positions import models, pnl
from positions.connection import ConnectionState, Reason, Status, as_taken_over
from positions.pnl import Holding, MarketState, Quote
from positions.portfolio import Cash, Closed, MarketFacts, Position, Unreadable
from positions.tracker import Tracker
from positions.worth import Valuation
from positions.writing import TOMBSTONES_KEPT, Records, StreamWriter, columns_of, flush

# Columns of who writes an account.
_OWNERSHIP = ["epoch", "flush", "worker"]


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """
    What a worker needs to go on where the last one stopped.

    `live_until` and `reason` are those of the connection as it was last written.
    """

    writer: StreamWriter
    tracker: Tracker
    live_until: datetime | None
    reason: Reason | None = None


def open_stream(
    account_id: int,
    worker_id: UUID,
    mark_price: pnl.MarkPrice,
    records: Records | None = None,
) -> OpenedStream:
    """
    Take an account over: raise its epoch, and load what is known of it.

    The caller holds the account's claim; raising the epoch is what makes that safe against a holder
    that has lost it without noticing.
    """
    with transaction.atomic():
        account, row = _locked(account_id)
        # Constraints hold these columns to their words.
        status, reason = cast(Status, row.status), cast(Reason | None, row.reason)
        found = as_taken_over(
            ConnectionState(status, row.since, row.attempt, row.retry_at, reason, row.live_until),
            row.worker.heartbeat_at if row.worker else None,
            timezone.now(),
        )
        columns = columns_of(found)
        for name, value in columns.items():
            setattr(row, name, value)
        _give_to(row, worker_id)
        row.save(update_fields=[*_OWNERSHIP, *columns])
        of_account = models.Position.objects.of(account_id)
        rows = of_account.open() | of_account.closed_since(timezone.now() - TOMBSTONES_KEPT)
        loaded = Tracker(
            mark_price,
            positions=[_loaded(position, mark_price) for position in rows if position.quantity],
            closed=[
                Closed(position.market.ticker, "closed", None, held_at=_reached(position.held_at))
                for position in rows
                if not position.quantity
            ],
            valuation=Valuation(_cash(row), records.locked_in(account_id) if records else None),
            reconciled_at=row.reconciled_at,
        )
        if records:
            loaded.valuation.collateral.set_netting(records.netting(account_id))
            loaded.valuation.collateral.paid(records.paid_markets(account_id))
            loaded.begin_day(records.baseline(account_id))
    writer = StreamWriter(account, row.epoch, records)
    return OpenedStream(writer, loaded, row.live_until, reason)


def set_aside(account_id: int, worker_id: UUID, state: ConnectionState, at: datetime) -> None:
    """
    Write how the connection of an account stands that can't be fed, and nothing else.

    The caller holds the account's claim. Raises the epoch, so that nothing it began before is
    written after it.
    """
    with transaction.atomic():
        _, row = _locked(account_id)
        _give_to(row, worker_id)
        row.save(update_fields=_OWNERSHIP)
    # By itself: a flush does not wait for the disk, and an epoch that has been told must stay.
    flush(
        account_id=account_id, epoch=row.epoch, number=1, at=at, stream=asdict(state), positions=[]
    )


def _give_to(row: models.AccountStream, worker_id: UUID) -> None:
    row.epoch += 1
    row.flush = 0
    row.worker_id = worker_id


def _locked(account_id: int) -> tuple[Account, models.AccountStream]:
    # The account first, so that it can't be forgotten before its stream's row is there.
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    streams = models.AccountStream.objects.select_for_update(of=("self",)).select_related("worker")
    try:
        return account, streams.get(account=account)
    except models.AccountStream.DoesNotExist:
        models.AccountStream.objects.create(account=account)
        return account, streams.get(account=account)


def _loaded(row: models.Position, mark_price: pnl.MarkPrice) -> Position:
    market = row.market
    holding = Holding(row.quantity, row.exposure, row.realized_pnl or pnl.ZERO, row.fees_paid)
    quote = Quote(
        row.yes_bid,
        row.yes_ask,
        row.last_price,
        _reached(row.priced_at),
        row.yes_bid_size,
        row.yes_ask_size,
    )
    state = MarketState(row.market_status, row.settlement_value)
    facts = MarketFacts(
        event_ticker=market.event_ticker,
        series_ticker=market.series_ticker,
        title=market.title,
        yes_outcome=market.yes_outcome,
        no_outcome=market.no_outcome,
        close_time=market.close_time,
        is_described=market.is_described,
        expected_at=market.expected_at,
        collateral_return_type=market.collateral_return_type,
    )
    figures = pnl.figures_of(holding, quote, state, mark_price)
    unreadable = cast(Unreadable | None, row.unreadable)  # as its choices
    held_at = _reached(row.held_at)
    return Position(market.ticker, facts, state, holding, quote, figures, unreadable, held_at)


def _reached(at: datetime | None) -> datetime | None:
    # A time that has yet to come would make all news until then look old, so it counts as none.
    return reached(at, timezone.now())


def _cash(row: models.AccountStream) -> Cash | None:
    if row.cash is None or row.cash_as_of is None:
        return None
    return Cash(row.cash, row.exchange_portfolio_value, row.cash_as_of, row.cash_provisional)
