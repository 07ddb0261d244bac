"""What the writer of an account's positions keeps in the ledger, and asks of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from kalshi.messages import Fill
from ledger import netting, noticing, paid_markets, points, recording
from ledger.models import ConnectionChange
from positions.collateral_book import PaidMarket
from positions.connection import ConnectionState
from positions.day import Baseline
from positions.noticed import Notice


class LedgerRecords:
    """The ledger, as `positions.writing.Records` has it."""

    def record(self, account_id: int, fills: Sequence[Fill], at: datetime) -> None:
        """Keep executions, within the transaction that writes the positions they changed."""
        recording.record_told(account_id, fills, at)

    def notice(self, account_id: int, notices: Sequence[Notice], at: datetime) -> None:
        """Keep what was noticed of markets and of reading the exchange."""
        noticing.record(account_id, notices, at)

    def connected(self, account_id: int, state: ConnectionState, at: datetime) -> None:
        """Keep that the connection has become another."""
        ConnectionChange.objects.create(
            account_id=account_id, at=at, status=state.status, reason=state.reason
        )

    def locked_in(self, account_id: int) -> Mapping[str, Decimal]:
        """Realized P&L less fees of the markets traded before in which nothing is held."""
        return points.locked_in(account_id)

    def netting(self, account_id: int) -> bool | None:
        """Whether the exchange gives collateral back to it, as it said last."""
        return netting.now(account_id)

    def paid_markets(self, account_id: int) -> Iterable[PaidMarket]:
        """Of the events in which something is held, the markets that have paid the account."""
        return paid_markets.known(account_id)

    def baseline(self, account_id: int) -> Baseline | None:
        """What today's P&L is reckoned from, if there is something yet."""
        return points.baseline(account_id, timezone.now())
