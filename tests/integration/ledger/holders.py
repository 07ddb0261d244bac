"""Accounts that hold something, as a worker has left them."""

from uuid import uuid4

from accounts.models import Account
from ledger.keeping import LedgerRecords
from ledger.models import Followed
from positions import workers
from positions.connection import ConnectionState
from positions.pnl import MarketState
from positions.portfolio import MarketFacts
from positions.taking_over import OpenedStream, open_stream
from tests.integration.visitors import make_account
from tests.told import NOON, quote, reconcile, row

FACTS = MarketFacts("E", "S", "Who?", "Yes", "No", None, collateral_return_type="MECNET")


def taken_over(account: Account) -> OpenedStream:
    """The account, taken over by another worker."""
    worker_id = uuid4()
    workers.beat(worker_id)
    return open_stream(account.pk, worker_id, "bid", LedgerRecords())


def hold_event() -> Account:
    """An account with ten NO in each of two markets of an exclusive event."""
    account = make_account(environment="sandbox")
    opened = taken_over(account)
    markets = {ticker: (FACTS, MarketState("active"), quote()) for ticker in ("E-A", "E-B")}
    reconcile(opened.tracker, [row("E-A", "-10", "6"), row("E-B", "-10", "6")], markets)
    changes = opened.tracker.take_changes(NOON)
    opened.writer.write(changes, ConnectionState("live", since=NOON), NOON)
    Followed.objects.create(account=account, until=NOON, is_netting=True)
    return account
