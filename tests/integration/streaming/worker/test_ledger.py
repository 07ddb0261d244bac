"""What happens at the exchange gets into the ledger, live and from the past."""

from decimal import Decimal

from ledger import holes
from ledger.models import Balance, Book, EquityPoint, Fill, Hole, Settlement, Transfer
from positions.models import AccountStream
from tests.integration.streaming.conftest import feeding


def is_past_read(account_id: int) -> bool:
    return (
        Hole.objects.filter(account_id=account_id).exists()
        and not holes.being_filled(account_id).exists()
    )


def cash_of(account_id: int) -> tuple[Decimal, bool] | None:
    stream = AccountStream.objects.get(pk=account_id)
    return None if stream.cash is None else (stream.cash, stream.cash_provisional)


async def test_past_is_read_at_the_first_sign_in(database, alice, credential, start_feed, alices):
    await start_feed(alice)

    await database.until(is_past_read, alice)

    def read():
        return {(fill.trade_id, fill.cash_flow) for fill in Fill.objects.filter(account_id=alice)}

    told = {(fill.trade_id, fill.cash_flow) for fill in alices.fills}
    assert await database.until(lambda: read() == told)


async def test_fill_is_recorded_with_its_position(
    database, sandbox, alice, credential, start_feed, alices, tickers
):
    await start_feed(alice)
    await database.until(is_past_read, alice)
    await database.until(lambda: cash_of(alice) == (alices.cash, False))

    sandbox.fill(tickers[0], "yes", Decimal("2.50"), Decimal("0.41"))

    fill = alices.fills[-1]
    row = await database.until(
        lambda: Fill.objects.filter(account_id=alice, trade_id=fill.trade_id).first()
    )
    assert (row.cash_flow, row.fee, row.quantity_after) == (
        fill.cash_flow,
        fill.fee,
        fill.post_quantity,
    )
    position = alices.positions[tickers[0]]
    book = await database.run(Book.objects.get, account_id=alice, market__ticker=tickers[0])
    assert (book.exposure, book.realized_pnl, book.fees_paid) == (
        position.exposure,
        position.realized_pnl,
        position.fees_paid,
    )
    assert await database.until(lambda: cash_of(alice) == (alices.cash, False))


async def test_settlement_deposit_and_balance_are_recorded(
    database, sandbox, alice, credential, start_feed, alices, tickers
):
    await start_feed(alice)
    await database.until(is_past_read, alice)

    sandbox.determine(tickers[0], Decimal(1))
    sandbox.settle(tickers[0])
    sandbox.transfer("deposit", 25000, fee_cents=500)

    row = await database.until(lambda: Settlement.objects.filter(account_id=alice).first())
    paid = alices.settlements[-1]
    assert (row.cash_flow, row.result, row.source) == (paid.revenue, "yes", "exchange")
    assert row.realized_pnl == paid.revenue - paid.position.exposure
    deposit = await database.until(lambda: Transfer.objects.filter(account_id=alice).first())
    assert (deposit.kind, deposit.cash_flow) == ("deposit", Decimal(245))
    assert await database.until(lambda: cash_of(alice) == (alices.cash, False))
    last = await database.until(
        lambda: Balance.objects.filter(account_id=alice, amount=alices.cash).last()
    )
    assert last.known_since <= last.known_until


async def test_day_begins_with_the_first_point(database, alice, credential, start_feed):
    await start_feed(alice)

    point = await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    stream = await database.until(
        lambda: AccountStream.objects.filter(pk=alice, day_pnl_since=point.at).first()
    )

    assert point.is_baseline
    assert stream.day_pnl == stream.total_value - point.total_value


async def test_deposit_of_an_absence_is_no_profit_of_the_day_that_follows(
    database, sandbox, alice, credential, start_feed
):
    """The balance has it before its list was read: the day must not begin in between."""
    async with feeding(alice):
        await database.until(is_past_read, alice)
        await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    await database.run(lambda: EquityPoint.objects.filter(account_id=alice).delete())
    sandbox.transfer("deposit", 50000)

    await start_feed(alice)

    point = await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    assert point.cash == sandbox.account.portfolios[0].cash
    stream = await database.until(
        lambda: AccountStream.objects.filter(pk=alice, day_pnl_since=point.at).first()
    )
    assert stream.day_pnl == 0
