"""Rows of the ledger as the worker writes them, in few words; instants are seconds of one day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ledger import models, noticing
from ledger.recording import record, record_transfers
from ledger.records import Fill, Settlement, Transfer
from positions.noticed import Differing, MarketChange, Reconciled

START = datetime(2025, 6, 2, 4, tzinfo=UTC)  # midnight in New York, a Monday


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def buy(account, second, ticker="E-M", count="10", price="0.40", *, side="yes", fee="0") -> None:
    """A fill; `side` is what was bought."""
    fill = Fill(
        trade_id=f"{ticker} {side} {second} {count}",
        order_id="order",
        ticker=ticker,
        at=at(second),
        side=side,
        count=Decimal(count),
        price=Decimal(price),
        fee=Decimal(fee),
    )
    record(account.pk, [fill], at(second))


def settle(account, second, ticker="E-M", quantity="10", exposure="4", *, revenue="10") -> None:
    """A market pays."""
    settlement = Settlement(
        ticker=ticker,
        at=at(second),
        result="yes",
        value=Decimal(1),
        quantity=Decimal(quantity),
        exposure=Decimal(exposure),
        revenue=Decimal(revenue),
        fees_paid=Decimal(0),
    )
    record(account.pk, [settlement], at(second))


def transfer(account, second, amount, kind="deposit", *, status="applied") -> None:
    """Money that comes, or goes if the amount is below zero."""
    flow = Decimal(amount)
    stage = Transfer(
        id=f"{kind} {second}",
        kind=kind,
        at=at(second),
        method="ach",
        amount=abs(flow),
        fee=Decimal(0),
        status=status,
        cash_flow=flow if status == "applied" else Decimal(0),
    )
    record_transfers(account.pk, [stage], at(second))


def balance(account, second, amount, *, known_for: float = 1) -> models.Balance:
    """The cash as told, known to have been so `known_for` seconds before."""
    return models.Balance.objects.create(
        account=account,
        at=at(second),
        known_since=at(second - known_for),
        known_until=at(second),
        amount=Decimal(amount),
    )


def hole(account, since: float | None, until: float, *, is_filled=False, reason="") -> models.Hole:
    """A stretch whose records have not been read, or have been by now; `reason`: they can't be."""
    return models.Hole.objects.create(
        account=account,
        since=None if since is None else at(since),
        until=at(until),
        opened_at=at(0),
        opened_until=at(until),
        filled_at=at(0) if is_filled else None,
        reason=reason,
    )


def point(
    account, second, value, nets: dict[str, str | None] | None = None, *, entered="0", cash="0"
) -> models.EquityPoint:
    """What the account was worth; `nets` by ticker."""
    total = Decimal(value)
    return models.EquityPoint.objects.create(
        account=account,
        at=at(second),
        total_value=total,
        entered=Decimal(entered),
        cash=Decimal(cash),
        positions_value=total - Decimal(cash),
        collateral_returned=Decimal(0),
        nets=nets,
    )


def noticed(account, when: datetime, ticker: str) -> None:
    """The connection is live, a first read finds a contract more, and a market closes."""
    models.ConnectionChange.objects.create(account=account, at=when, status="live")
    more = Differing(ticker, "quantity", Decimal(9), Decimal(10))
    notices = [Reconciled(when, True, (more,)), MarketChange(ticker, "closed", None, when)]
    noticing.record(account.pk, notices, when)


def one_of_each(account, ticker: str) -> None:
    """A row of each kind that the admin shows."""
    buy(account, 1, ticker)
    settle(account, 2, ticker)
    transfer(account, 3, "50")
    balance(account, 4, "100")
    balance(account, 9, "100.25")
    hole(account, None, 5, is_filled=True)
    point(account, 6, "100", {ticker: "1"})
    noticed(account, at(7), ticker)
    models.Unexplained.objects.create(
        account=account, since=at(0), until=at(4), amount=Decimal("0.3"), noticed_at=at(9)
    )
