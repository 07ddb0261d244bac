"""The exchange's balances as rows: what the proof is made of."""

from datetime import timedelta

from ledger.models import Balance, CollateralFlow, Fill, Settlement, Transfer
from positions import cash

# One that is as before is kept this often: the proof is to reach up to now.
EVERY = timedelta(hours=1)


def keep(account_id: int, told: cash.Balance) -> bool:
    """Store a balance where it tells something new; whether it did."""
    last = Balance.objects.filter(account_id=account_id).order_by("-known_until", "-id").first()
    is_news = (
        last is None
        or last.amount != told.amount
        or told.until - last.known_until >= EVERY
        # It could not be told whether that one contained what happened then; of this it can.
        or _is_doubtful(account_id, last)
    )
    if is_news:
        Balance.objects.create(
            account_id=account_id,
            at=told.as_of,
            known_since=told.since,
            known_until=told.until,
            amount=told.amount,
            exchange_portfolio_value=told.exchange_portfolio_value,
        )
    return is_news


def _is_doubtful(account_id: int, last: Balance) -> bool:
    since = last.known_since or last.known_until
    span = {"account_id": account_id, "at__gt": since, "at__lte": last.known_until}
    flows = (Fill, Settlement, Transfer, CollateralFlow)
    return any(kind.objects.filter(**span).exists() for kind in flows)
