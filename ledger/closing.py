"""
Settlements older than the exchange's list: derived from what was held, and from how it ended.

Something was held by our records, it is not held now, and the market has a value: then it was paid
by that value, unless one of its executions can't be read. Such a settlement is marked as derived.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from kalshi.errors import DecodeError, RequestRejected, Unavailable
from kalshi.resources import Market
from kalshi.rest import Client
from ledger import holes, recording
from ledger.flows import settled_revenue
from ledger.models import RecordedPosition
from ledger.records import Record, Settlement
from postgres.threads import DatabaseThreads

# Between two markets that are asked for one by one.
BETWEEN_SECONDS = 0.1


async def derive_settlements(
    rest: Client,
    account_id: int,
    held: Collection[str],
    threads: DatabaseThreads,
    *,
    subaccount: int,
    before: datetime,
    on_new: Callable[[Sequence[Record]], None] = lambda new: None,
) -> int:
    """
    Settle what the records leave open and the exchange holds no more; how many were new.

    Args:
        before: only what was paid until then: what is newer the exchange's list may still tell.
        on_new: told of those that were new as they are stored; later ones may fail.
    Raises:
        KalshiError: the markets can't be read.
    """
    open_positions = await threads.run(_open_positions, account_id, set(held))
    if not open_positions:
        return 0
    markets = await rest.markets(open_positions)
    archived = await rest.historical_markets(
        open_positions.keys() - {market.ticker for market in markets} - markets.unanswered
    )
    asked = [each for each in [*markets, *archived] if each.ticker in open_positions]
    told = _settlements(open_positions, asked)
    settled = [each for each in told if each.at < before]
    complete_until = await threads.run(holes.complete_until, account_id)
    # From then on a record may be one of those that can't be read: what was sold by it would be
    # taken for held to the end.
    sure: list[Settlement] = []
    doubtful: list[Settlement] = []
    for each in settled:
        is_sure = complete_until is None or each.at < complete_until
        (sure if is_sure else doubtful).append(each)
    count = 0

    async def record(settlements: Sequence[Settlement]) -> None:
        nonlocal count
        new = await threads.run(recording.record, account_id, settlements, timezone.now())
        count += len(new)
        on_new(new)

    await record(sure)
    for each in doubtful:
        if await _is_readable(rest, subaccount, each.ticker):
            await record([each])
        # The present asks by the same limits.
        await asyncio.sleep(BETWEEN_SECONDS)
    return count


async def _is_readable(rest: Client, subaccount: int, ticker: str) -> bool:
    """Whether all executions in a market can be read, and can be asked for now."""
    try:
        listed = await rest.fills(subaccount, ticker=ticker)
        archived = await rest.historical_fills(subaccount, ticker=ticker)
    except (Unavailable, DecodeError, RequestRejected):
        return False
    return not listed.left_out and not archived.left_out


def _open_positions(account_id: int, held: set[str]) -> dict[str, RecordedPosition]:
    positions = (
        RecordedPosition.objects.filter(account_id=account_id)
        .exclude(quantity=0)
        .select_related("market")
    )
    return {
        position.market.ticker: position
        for position in positions
        if position.market.ticker not in held
    }


def _settlements(
    positions: dict[str, RecordedPosition], markets: Iterable[Market]
) -> Iterable[Settlement]:
    for market in markets:
        position, value = positions[market.ticker], market.settlement_value
        at = market.settled_at or market.close_time
        if market.status != "finalized" or value is None or at is None:
            continue
        yield Settlement(
            ticker=market.ticker,
            at=max(at, position.last_at),
            result=market.result or ("yes" if value == 1 else "no" if value == 0 else "scalar"),
            value=Decimal(value),
            quantity=position.quantity,
            exposure=position.exposure,
            revenue=settled_revenue(position.quantity, value),
            fees_paid=position.fees_paid,
            source="derived",
        )
