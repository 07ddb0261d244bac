"""Answers of the past are exactly those that were given then."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from sandbox.account import Account, ApiKey, Portfolio
from sandbox.catalogue import world
from sandbox.exchange import Exchange
from sandbox.market import Quote
from sandbox.past import Past
from sandbox.position import OutcomeSide
from sandbox.rest import activity, markets, portfolio
from tests.unit.sandbox.conftest import add_key

TICK = timedelta(seconds=1)
REACH = timedelta(seconds=20)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def past(exchange: Exchange, alice: Account, clock: Clock) -> Past:
    return Past(exchange, clock.now, REACH)


def answers(exchange: Exchange, key: ApiKey) -> dict[str, Any]:
    """All that lags, in full."""
    everything = {"limit": "1000"}
    events = {"limit": "200", "with_nested_markets": "true"}
    return {
        "balance": portfolio.balance(exchange, key, {}),
        "balances": portfolio.subaccount_balances(exchange, key),
        "positions": portfolio.positions(exchange, key, everything | {"settlement_status": "all"}),
        "fills": activity.fills(exchange, key, everything),
        "settlements": activity.settlements(exchange, key, everything),
        "markets": markets.markets(exchange, everything),
        "events": markets.events(exchange, events),
        "combos": markets.multivariate_events(exchange, events),
        "event": markets.event(exchange, next(iter(exchange.events)), {}),
    }


def happen(exchange: Exchange, alice: Account, random: Random, at: datetime) -> None:
    """Something that may happen to a market, or to money."""
    market = random.choice(
        [each for each in exchange.markets.values() if each.status != "finalized"]
    )
    match random.randint(0, 9), market.status:
        case ((0 | 1 | 2), "active"):
            side: OutcomeSide = random.choice(("yes", "no"))
            price = random.choice(market.grid.prices)
            exchange.fill(
                alice, market.ticker, side, Decimal(random.randint(1, 9)), price, at,
                subaccount=random.randint(0, 1),
            )  # fmt: skip
        case 3, "active" | "inactive" | "closed":
            exchange.determine(market.ticker, Decimal(0), at)
        case ((3 | 4), "determined" | "amended"):
            exchange.settle(market.ticker, at)
        case 5, "active":
            exchange.pause(market.ticker, at)
        case 5, "inactive":
            exchange.resume(market.ticker, at)
        case 6, "active" | "inactive":
            exchange.reschedule(market.ticker, at + timedelta(days=random.randint(1, 9)), at)
        case 7, _:
            exchange.set_fees(market.event_ticker, ("quadratic", Decimal(random.randint(0, 9))))
        case 8, _:
            status = random.choice(("pending", "applied", "failed"))
            exchange.transfer(alice, "deposit", random.randint(1, 999), at, status=status)
        case 9, _:
            waiting = [
                each.transfer_id
                for each in alice.portfolios[0].transfers.values()
                if each.status == "pending"
            ]
            for transfer_id in waiting[:1]:
                exchange.finish_transfer(alice, transfer_id, "applied", at)
        case _:
            exchange.step(at, own_fill_chance=0.2)


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_is_the_one_that_was_given_then(seed: int, now: datetime) -> None:
    exchange, alice = world(positions=12, seed=seed, now=now)
    alice.portfolios[1] = Portfolio(1, Decimal(99), now)
    key = add_key(exchange, alice, "alices")
    clock, random = Clock(now), Random(seed)
    past = Past(exchange, clock.now, REACH)
    given = [(now, answers(exchange, key))]

    for _ in range(150):
        clock.moment += TICK
        for _ in range(random.randint(0, 3)):
            happen(exchange, alice, random, clock.moment)
        given.append((clock.moment, answers(exchange, key)))
        for lag in (1, 7, 20):
            at, then = given[max(0, len(given) - 1 - lag)]
            assert answers(past.as_of(clock.moment - lag * TICK), key) == then, (lag, at)

    assert alice.portfolios[0].settlements
    assert len(exchange.events) > 4


def test_first_past_is_the_state_in_which_it_was_begun(
    exchange: Exchange, alice: Account, alices_key: ApiKey, past: Past, clock: Clock
) -> None:
    before = answers(exchange, alices_key)
    clock.moment += TICK
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.50"), clock.moment)

    assert answers(past.as_of(clock.moment - REACH), alices_key) == before
    assert answers(exchange, alices_key) != before


def test_longer_reach_shows_what_is_known_and_no_mixture(
    exchange: Exchange, alices_key: ApiKey, past: Past, clock: Clock
) -> None:
    def quote(ticker: str, bid: str) -> None:
        clock.moment += timedelta(seconds=15)
        book = Quote(Decimal(bid), Decimal(1), Decimal("0.60"), Decimal(1))
        exchange.set_quote(ticker, book, clock.moment)

    quote("KXGAME-1-A", "0.10")
    quote("KXGAME-1-A", "0.20")
    known = answers(exchange, alices_key)
    quote("KXRAIN-1-C", "0.30")
    quote("KXGAME-1-A", "0.40")
    past.reach = timedelta(hours=1)

    # All that is known since 20 seconds before the last change: after the second, before the third.
    assert answers(past.as_of(clock.moment - past.reach), alices_key) == known


def test_no_more_is_kept_than_may_be_asked_for(
    exchange: Exchange, past: Past, clock: Clock
) -> None:
    for second in range(1000):
        clock.moment += TICK
        exchange.trade("KXGAME-1-A", Decimal("0.50"), Decimal(1 + second), clock.moment)

    kept = past._markets["KXGAME-1-A"]._kept
    assert len(kept) == 21
    assert kept[0][0] == clock.moment - REACH


def test_nothing_is_kept_after_the_end(exchange: Exchange, past: Past, clock: Clock) -> None:
    past.end()

    exchange.trade("KXGAME-1-A", Decimal("0.50"), Decimal(1), clock.moment)

    assert exchange.watcher is None
    assert len(past._markets["KXGAME-1-A"]._kept) == 1


def test_member_who_came_later_has_what_they_came_with(
    exchange: Exchange, past: Past, clock: Clock
) -> None:
    clock.moment += TICK
    bob = exchange.open_account({0: Decimal(7)}, clock.moment)
    key = add_key(exchange, bob, "bobs")
    clock.moment += TICK
    exchange.transfer(bob, "deposit", 100, clock.moment)

    then = past.as_of(clock.moment - REACH)

    assert portfolio.balance(then, key, {})["balance_dollars"] == "7.0000"
