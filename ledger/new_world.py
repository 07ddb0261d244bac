"""
An exchange that begins anew, as the sandbox does at each start: what happened never did.

Nothing tells so but the lists: what was in them is not any more.
"""

from datetime import datetime, timedelta

from django.db import transaction

from kalshi.rest import Client
from ledger import holes, models
from postgres.threads import DatabaseThreads

# Its times are told in milliseconds, by one way to the second.
_NEAR = timedelta(seconds=2)

# All but notes, and trades that were imported. What the owner named as a transfer was of the cash
# of the old world.
_OF_THE_WORLD = (
    models.Trade,
    models.CollateralFlow,
    models.EventDecision,
    models.NettingChange,
    models.Fill,
    models.Settlement,
    models.Transfer,
    models.RecordedPosition,
    models.Unexplained,
    models.Balance,
    models.EquityPoint,
    models.MarketChange,
    models.Reconciliation,
    models.Hole,
    models.Followed,
)


async def has_begun(
    rest: Client,
    account_id: int,
    subaccount: int,
    threads: DatabaseThreads,
    *,
    told_until: datetime,
) -> bool:
    """
    Whether the exchange no longer lists what was recorded last: then all of it was of an old world.

    To be asked of the sandbox alone. Its worlds are alike, down to the names of what happened
    before they began; but not at the same time.

    Args:
        told_until: how far the lists are, by the exchange's clock.
    Raises:
        KalshiError: they can't be read.
    """
    last = await threads.run(_last_fill, account_id, told_until - holes.OVERLAP)
    if last is None:
        return False
    span = {"since": last.at - _NEAR, "until": last.at + _NEAR}
    for archived in (False, True):
        async for fills in rest.fill_pages(subaccount, archived=archived, **span):
            # It may be the one that can't be understood.
            if fills.left_out or last.trade_id in {each.trade_id for each in fills}:
                return False
    return True


def _last_fill(account_id: int, until: datetime) -> models.Fill | None:
    return models.Fill.objects.filter(account_id=account_id, at__lte=until).order_by("-at").first()


@transaction.atomic
def forget_the_old(account_id: int) -> None:
    """Delete what is recorded of an account."""
    # First, as whoever records does: else each would wait for what the other has.
    holes.lock(account_id)
    for model in _OF_THE_WORLD:
        model.objects.filter(account_id=account_id).delete()
