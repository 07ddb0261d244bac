"""Money that the exchange does not tell of, named by the account's owner."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from accounts.errors import InvalidRequest
from ledger.asked import instant_named
from ledger.models import Transfer
from positions.pnl import ZERO


def name_transfer(
    account_id: int, *, at: str, amount: Decimal, name: str, now: datetime
) -> Transfer:
    """
    Keep a flow that its owner knows of.

    Args:
        at: an instant or a day, as people write it.
        amount: in dollars; negative if it went.
    Raises:
        InvalidRequest: it is of the future, of no amount, or `at` can't be read.
    """
    instant = instant_named(at, "at")
    if instant > now:
        raise InvalidRequest("“at” is in the future: name what has happened.")
    if not amount:
        raise InvalidRequest("“amount” must be more or less than 0.")
    return Transfer.objects.create(
        account_id=account_id,
        transfer_id=str(uuid4()),
        kind="named",
        at=instant,
        method=name,
        amount=amount,
        fee=ZERO,
        status="applied",
        cash_flow=amount,
        recorded_at=now,
    )
