"""What was noticed of an account's markets and of reading the exchange becomes rows, each once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from accounts.models import Account
from ledger import markets, models
from positions.decimal_text import plain
from positions.noticed import Differing, MarketChange, Notice, Reconciled


def record(account_id: int, notices: Sequence[Notice], at: datetime) -> None:
    """Keep these, but for what is there already; what has no time is of now."""
    changes = [each for each in notices if isinstance(each, MarketChange)]
    environment = Account.objects.get(pk=account_id).environment
    ids = markets.ids_of(environment, {each.ticker for each in changes})
    models.MarketChange.objects.bulk_create(
        [
            models.MarketChange(
                account_id=account_id,
                market_id=ids[each.ticker],
                at=each.at or at,
                status=each.status,
                settlement_value=each.settlement_value,
            )
            for each in changes
        ],
        ignore_conflicts=True,
    )
    models.Reconciliation.objects.bulk_create(
        [
            models.Reconciliation(
                account_id=account_id,
                at=each.at,
                is_first=each.is_first,
                differing=[_row(one) for one in each.differing],
            )
            for each in notices
            if isinstance(each, Reconciled)
        ],
        ignore_conflicts=True,
    )


def differing_of(row: models.Reconciliation) -> list[Differing]:
    """What a reconciliation found, as the values that its row was made of."""
    return [
        Differing(each["ticker"], each["figure"], Decimal(each["ours"]), Decimal(each["theirs"]))
        for each in row.differing
    ]


def _row(differing: Differing) -> dict[str, str | None]:
    return {
        "ticker": differing.ticker,
        "figure": differing.figure,
        "ours": plain(differing.ours),
        "theirs": plain(differing.theirs),
    }
