"""From listing to payout, by command and by time alone."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.account import Account
from sandbox.catalogue import world
from sandbox.exchange import Exchange
from sandbox.happenings import LifecycleChanged, PaidOut

TICKER = "KXRAIN-1-C"


@pytest.mark.parametrize(
    ("side", "yes_value", "revenue", "realized_pnl"),
    [
        # 10 bought at 0.40 each; NO at 0.60
        ("yes", "1", "10", "6"),
        ("yes", "0", "0", "-4"),
        ("no", "0", "10", "4"),
        ("no", "1", "0", "-6"),
        # 10 * 0.35; 10 * 0.65
        ("yes", "0.35", "3.50", "-0.50"),
        ("no", "0.35", "6.50", "0.50"),
    ],
)
def test_settlement_pays_what_was_held(
    exchange: Exchange,
    alice: Account,
    now: datetime,
    side: str,
    yes_value: str,
    revenue: str,
    realized_pnl: str,
) -> None:
    exchange.fill(alice, TICKER, side, Decimal(10), Decimal("0.40"), now)
    before = alice.portfolios[0].cash

    exchange.determine(TICKER, Decimal(yes_value), now)
    settled, paid = exchange.settle(TICKER, now)

    portfolio = alice.portfolios[0]
    market, position = exchange.markets[TICKER], portfolio.positions[TICKER]
    assert settled == LifecycleChanged(market, "settled", now)
    assert paid == PaidOut(alice.user_id, 0, market, position)
    assert portfolio.cash == before + Decimal(revenue)
    assert (position.quantity, position.exposure) == (0, 0)
    assert position.realized_pnl == Decimal(realized_pnl)
    assert market.status == "finalized"


def test_payout_of_a_scalar_result_is_rounded_down_to_the_cent(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    exchange.fill(alice, TICKER, "yes", Decimal("1.55"), Decimal("0.40"), now)

    exchange.determine(TICKER, Decimal("0.35"), now)
    exchange.settle(TICKER, now)

    # 1.55 * 0.35 = 0.5425
    assert alice.portfolios[0].settlements[0].revenue == Decimal("0.54")


def test_time_alone_takes_a_market_to_its_end(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    market = exchange.markets[TICKER]
    exchange.fill(alice, TICKER, "yes", Decimal(10), Decimal("0.40"), now)
    exchange.reschedule(TICKER, now + timedelta(hours=1), now)

    statuses = []
    for minutes in (59, 60, 69, 70, 74, 75):
        exchange.advance(now + timedelta(minutes=minutes))
        statuses.append(market.status)

    assert statuses == ["active", "closed", "closed", "determined", "determined", "finalized"]
    assert market.settled_at == now + timedelta(minutes=75)
    assert alice.portfolios[0].positions[TICKER].quantity == 0


def test_sleeping_through_everything_ends_the_same(exchange: Exchange, now: datetime) -> None:
    market = exchange.markets[TICKER]
    exchange.reschedule(TICKER, now + timedelta(hours=1), now)

    exchange.advance(now + timedelta(days=1))

    assert (market.status, market.settled_at) == ("finalized", now + timedelta(minutes=75))


def test_paused_market_is_announced_and_trades_again(exchange: Exchange, now: datetime) -> None:
    market = exchange.markets[TICKER]

    paused = exchange.pause(TICKER, now)
    with pytest.raises(ValueError, match="is inactive"):
        exchange.trade(TICKER, Decimal("0.50"), Decimal(1), now)
    resumed = exchange.resume(TICKER, now)
    exchange.trade(TICKER, Decimal("0.51"), Decimal(1), now)

    assert paused == (LifecycleChanged(market, "deactivated", now),)
    assert resumed == (LifecycleChanged(market, "activated", now),)
    assert market.tape.last_price == Decimal("0.51")


def test_disputed_market_waits_until_it_is_amended(exchange: Exchange, now: datetime) -> None:
    market = exchange.markets[TICKER]
    exchange.determine(TICKER, Decimal(1), now)

    exchange.dispute(TICKER, now)
    exchange.advance(now + timedelta(days=1))
    disputed = market.status
    exchange.amend(TICKER, Decimal(0), now + timedelta(days=1))
    amended = market.status
    exchange.advance(now + timedelta(days=2))

    assert (disputed, amended, market.status) == ("disputed", "amended", "finalized")
    assert (market.result, market.settlement_value) == ("no", 0)


@pytest.mark.parametrize("yes_value", ["-0.01", "1.01", "0.125"])
def test_value_that_no_contract_pays_is_refused(
    exchange: Exchange, now: datetime, yes_value: str
) -> None:
    with pytest.raises(ValueError, match="in whole cents"):
        exchange.determine(TICKER, Decimal(yes_value), now)

    assert exchange.markets[TICKER].status == "active"


def test_no_step_is_taken_twice(exchange: Exchange, now: datetime) -> None:
    exchange.determine(TICKER, Decimal(1), now)
    exchange.settle(TICKER, now)

    with pytest.raises(ValueError, match="is finalized"):
        exchange.settle(TICKER, now)
    with pytest.raises(ValueError, match="is finalized"):
        exchange.determine(TICKER, Decimal(0), now)


def test_nothing_trades_while_trading_is_paused(exchange: Exchange, now: datetime) -> None:
    exchange.trading_active = False

    with pytest.raises(ValueError, match="trading is paused"):
        exchange.trade(TICKER, Decimal("0.50"), Decimal(1), now)
    assert exchange.step(now) == ()


def test_maker_pays_where_the_series_has_maker_fees(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    exchange.fill(alice, TICKER, "yes", Decimal(100), Decimal("0.50"), now, is_taker=False)
    exchange.set_fees("KXRAIN-1", ("quadratic_with_maker_fees", Decimal(2)))
    exchange.fill(alice, TICKER, "yes", Decimal(100), Decimal("0.50"), now, is_taker=False)

    # 0.0175 * 2 * 100 * 0.25
    assert [fill.fee for fill in alice.portfolios[0].fills] == [0, Decimal("0.875")]


def test_fast_world_never_runs_out_of_markets_and_keeps_its_books(now: datetime) -> None:
    exchange, account = world(positions=20, seed=3, now=now)

    happened = [
        each
        for hour in range(24 * 12)
        for each in exchange.step(now + timedelta(hours=hour), own_fill_chance=0.3)
    ]

    portfolio = account.portfolios[0]
    types = {each.type for each in happened if isinstance(each, LifecycleChanged)}
    assert {"created", "determined", "settled"} <= types
    assert len(portfolio.settlements) > 5
    assert sum(market.status == "active" for market in exchange.markets.values()) > 5
    assert portfolio.cash == sum(entry.dollars for entry in portfolio.ledger.entries)
