"""What happened to accounts, made up and recorded as the worker records it."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from accounts.models import Account
from ledger import recording
from ledger.records import Fill, Settlement, Side, Transfer
from tests.told import NOON, at


def fill(
    trade_id: str,
    count: str = "10",
    price: str = "0.40",
    *,
    ticker: str = "KXGAME-A-HOME",
    side: Side = "yes",
    fee: str = "0.17",
    seconds: float = 0,
) -> Fill:
    """An execution, so many seconds after noon."""
    return Fill(
        trade_id=trade_id,
        order_id=f"order of {trade_id}",
        ticker=ticker,
        at=at(seconds),
        side=side,
        count=Decimal(count),
        price=Decimal(price),
        fee=Decimal(fee),
        is_taker=True,
    )


def settlement(
    ticker: str = "KXGAME-A-HOME",
    *,
    result: str = "yes",
    value: str | None = "1",
    quantity: str = "10",
    exposure: str = "4",
    revenue: str = "10",
    fees_paid: str = "0.17",
    seconds: float = 60,
) -> Settlement:
    return Settlement(
        ticker=ticker,
        at=at(seconds),
        result=result,
        value=None if value is None else Decimal(value),
        quantity=Decimal(quantity),
        exposure=Decimal(exposure),
        revenue=Decimal(revenue),
        fees_paid=Decimal(fees_paid),
    )


def transfer(
    id: str,
    cash_flow: str,
    *,
    kind="deposit",
    status: str = "applied",
    method: str = "ach",
    seconds: float = 0,
) -> Transfer:
    flow = Decimal(cash_flow)
    return Transfer(id, kind, at(seconds), method, abs(flow), Decimal(0), status, flow)


def record(account: Account, records: Iterable[Fill | Settlement], when: datetime = NOON) -> None:
    """Keep fills and settlements."""
    recording.record(account.pk, list(records), when)


def record_transfers(
    account: Account, transfers: Iterable[Transfer], when: datetime = NOON
) -> None:
    """Keep transfers."""
    recording.record_transfers(account.pk, transfers, when)
