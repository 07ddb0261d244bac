"""Collateral of an exclusive event, as its markets are bought, sold, decided and paid."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ledger import collateral_flows, holes, proving
from ledger.models import CollateralFlow, EquityPoint, EventDecision
from positions.cash import Balance
from positions.models import AccountStream, Position
from sandbox.faults import Latency
from sandbox.offering import Offering
from streaming.worker.agenda import BALANCE_SECONDS, DEBOUNCE_SECONDS
from streaming.worker.cash_reads import CashReads
from streaming.worker.counts import COUNTS
from tests.waiting import until

EVENT = "KXRACE-26NOV"
HARE, SNAIL, TOAD = (f"{EVENT}-{name}" for name in ("HARE", "SNAIL", "TOAD"))
PRICE = Decimal("0.40")


@pytest.fixture
def race(sandbox) -> None:
    """Three that can win, of which nobody holds anything."""
    sandbox.list_event(
        Offering(
            EVENT,
            "KXRACE",
            "Who wins the race?",
            tuple((name, PRICE) for name in ("HARE", "SNAIL", "TOAD")),
            timedelta(days=1),
            mutually_exclusive=True,
        )
    )
    for ticker in (HARE, SNAIL, TOAD):
        sandbox.set_quote(ticker, PRICE, PRICE + Decimal("0.01"))


def total_of(account_id: int) -> Decimal | None:
    return AccountStream.objects.get(pk=account_id).total_value


def returned_of(account_id: int) -> Decimal | None:
    return AccountStream.objects.get(pk=account_id).collateral_returned


def is_proved(account_id: int) -> bool:
    proof = proving.prove_account(account_id)
    return proof is not None and not proof.unexplained


def is_left_alone(account_id: int) -> bool:
    """Whether nothing is about to be read again."""
    read_at = AccountStream.objects.get(pk=account_id).reconciled_at
    return timezone.now() - read_at > timedelta(seconds=2 * DEBOUNCE_SECONDS)


def may_read_balance(account_id: int) -> bool:
    read_at = AccountStream.objects.get(pk=account_id).cash_as_of
    return timezone.now() - read_at > timedelta(seconds=BALANCE_SECONDS)


@pytest.fixture
async def at_rest(database, race, alice, credential, start_feed, alices):
    """Waits, while her feed runs, until her cash is the exchange's."""
    await start_feed(alice)
    await database.until(lambda: EquityPoint.objects.filter(account_id=alice).exists())
    # Before that nothing follows from the records.
    await database.until(holes.is_past_read, alice)

    def is_at_rest() -> bool:
        row = AccountStream.objects.get(pk=alice)
        return row.cash == alices.cash and not row.cash_provisional

    async def wait() -> None:
        await database.until(is_at_rest)

    return wait


async def buy_no(database, sandbox, alice, ticker: str, count: str) -> None:
    sandbox.fill(ticker, "no", Decimal(count), PRICE)
    # Its event's title tells whether collateral comes back.
    await database.until(
        lambda: Position.objects.filter(
            account_id=alice, market__ticker=ticker, market__collateral_return_type="MECNET"
        ).exists()
    )


async def test_collateral_comes_with_its_fill_and_nothing_has_to_be_looked_for(
    database, sandbox, alice, at_rest
):
    surprises = COUNTS.surprises
    await buy_no(database, sandbox, alice, HARE, "10")
    await at_rest()
    before = await database.run(returned_of, alice)

    await buy_no(database, sandbox, alice, SNAIL, "8")
    await at_rest()
    assert await database.run(returned_of, alice) == before + 8
    # All of it goes back with the snail.
    sandbox.fill(SNAIL, "yes", Decimal(8), PRICE)
    await at_rest()

    assert await database.run(returned_of, alice) == before
    assert COUNTS.surprises == surprises


async def test_balance_that_comes_before_the_position_that_explains_it_is_no_surprise(
    database, sandbox, alice, at_rest
):
    sandbox.faults.path_latencies["/markets"] = Latency(0.3)
    # So that the next read of the account reads its balance as well.
    await database.until(may_read_balance, alice)
    surprises = COUNTS.surprises

    await buy_no(database, sandbox, alice, HARE, "10")
    await at_rest()

    assert COUNTS.surprises == surprises


async def test_balance_that_is_read_while_a_new_position_comes_is_no_surprise(
    database, sandbox, alice, at_rest, monkeypatch
):
    await database.until(is_left_alone, alice)
    ask = CashReads._ask
    may_buy = iter([True])

    async def buy_and_ask(reads: CashReads, since: datetime | None) -> Balance | None:
        if next(may_buy, False):
            heard = COUNTS.frames["fill"]
            sandbox.fill(SNAIL, "no", Decimal(8), PRICE)
            await until(lambda: COUNTS.frames["fill"] > heard)
        return await ask(reads, since)

    surprises = COUNTS.surprises
    with monkeypatch.context() as patch:
        patch.setattr(CashReads, "_ask", buy_and_ask)
        held = next(iter(sandbox.account.portfolios[0].positions))
        sandbox.fill(held, "yes", Decimal(1), PRICE)
        await database.until(
            lambda: Position.objects.filter(account_id=alice, market__ticker=SNAIL).exists()
        )
        await at_rest()

    assert COUNTS.surprises == surprises


async def test_market_that_is_not_held_decides_its_event(database, sandbox, alice, at_rest):
    for ticker, count in ((HARE, "10"), (SNAIL, "8")):
        await buy_no(database, sandbox, alice, ticker, count)
    await at_rest()
    before = await database.run(returned_of, alice)
    total = await database.run(total_of, alice)

    sandbox.determine(TOAD, Decimal(1))
    sandbox.settle(TOAD)
    # Nothing but the balance tells of it.
    sandbox.fill(HARE, "no", Decimal(1), PRICE)

    await at_rest()
    assert await database.run(returned_of, alice) == before + 11
    moved = await database.run(total_of, alice) - total
    # No more than the fill: its fee, and what it is worth less than it cost.
    assert abs(moved) < Decimal("0.10")
    (decision,) = await database.run(list, EventDecision.objects.filter(account_id=alice))
    assert (decision.ticker, decision.is_yes) == (TOAD, True)
    flow = await database.run(lambda: CollateralFlow.objects.order_by("at", "id").last())
    assert flow.event_ticker == EVENT
    await database.until(is_proved, alice)


async def test_netting_that_is_switched_moves_the_total_by_nothing_and_changes_no_past(
    database, sandbox, alice, at_rest
):
    for ticker, count in ((HARE, "10"), (SNAIL, "8")):
        await buy_no(database, sandbox, alice, ticker, count)
    await at_rest()
    before = await database.run(returned_of, alice)
    total = await database.run(total_of, alice)

    for is_netting in (False, True):
        sandbox.set_netting(subaccount=0, enabled=is_netting)
        # Nothing but the balance tells of it.
        sandbox.fill(HARE, "no", Decimal(1), PRICE)
        await at_rest()

        expected = before if is_netting else 0
        assert await database.until(lambda expected=expected: returned_of(alice) == expected)
        moved = await database.run(total_of, alice) - total
        assert abs(moved) < Decimal("0.20")

    def flows() -> list[Decimal]:
        of_event = CollateralFlow.objects.filter(account_id=alice, event_ticker=EVENT)
        return list(of_event.order_by("at", "id").values_list("amount", flat=True))

    await database.until(lambda: flows() == [8, -8, 8])
    # Of her other event it is reckoned after that.
    await database.until(is_proved, alice)
    # As the next connection does.
    assert await database.run(collateral_flows.rewrite, alice, EVENT) is None
