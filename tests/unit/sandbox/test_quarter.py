"""A trader's quarter is the same for the same seed, whole, and exact wherever it is looked at."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from random import Random

import pytest

from sandbox import catalogue, keys, scenarios
from sandbox.account import Portfolio
from sandbox.fees import PRECISIONS
from sandbox.grid import ZERO
from sandbox.quarter import LENGTH, UNTOLD, quarter
from sandbox.rest import activity, portfolio
from sandbox.scenarios import perform_at
from sandbox.server import Sandbox
from tests.unit.sandbox.conftest import NOW

QUARTER = list(quarter())
DAY = timedelta(days=1)


def sandbox_of(precision: Decimal) -> Sandbox:
    """A few positions of its own, nobody connected, and a clock that only the quarter moves."""
    exchange, account = catalogue.world(positions=6, seed=1, now=NOW, precision=precision)
    running = Sandbox(exchange, account, keys.new_ed25519(), clock=lambda: NOW)
    running.add_key(running.credentials)
    return running


@pytest.fixture(scope="module", params=PRECISIONS, ids=str)
async def played(request: pytest.FixtureRequest) -> Sandbox:
    """The whole quarter, looked at after a hundred of its steps."""
    sandbox = sandbox_of(request.param)
    looks = set(Random(1).sample(range(len(QUARTER)), 100))
    for number, (at, command) in enumerate(QUARTER):
        await perform_at(sandbox, NOW + at, command)
        if number in looks:
            for each in sandbox.account.portfolios.values():
                check(each)
    return sandbox


def check(held: Portfolio) -> None:
    """What always holds of a portfolio, to the last digit."""
    assert held.cash == sum(entry.dollars for entry in held.ledger.entries)
    assert held.cash > 0
    assert held.cash % held.precision == 0
    for ticker, position in held.positions.items():
        fills = [fill for fill in held.fills if fill.ticker == ticker]
        payouts = [each.revenue for each in held.settlements if each.position.ticker == ticker]
        flows = sum((fill.cash_flow + fill.fee for fill in fills), ZERO) + sum(payouts, ZERO)
        assert flows == position.realized_pnl - position.exposure
        assert position.fees_paid == sum(fill.fee for fill in fills)


def test_same_seed_is_the_same_quarter() -> None:
    assert list(quarter()) == QUARTER
    assert list(quarter(seed=2)) != QUARTER


@pytest.mark.parametrize("seed", range(1, 6))
def test_quarter_has_its_length_and_its_fills(seed: int) -> None:
    moments = list(quarter(seed=seed))

    times = [at for at, _ in moments]
    fills = [at for at, command in moments if command["do"] == "fill"]
    assert times == sorted(times)
    assert times[-1] == LENGTH
    assert 300 <= len(fills) <= 400
    assert len(set(fills)) == len(fills)


@pytest.mark.parametrize("seed", range(2, 6))
async def test_every_quarter_can_be_played(seed: int) -> None:
    sandbox = sandbox_of(PRECISIONS[seed % 2])

    for at, command in quarter(seed=seed):
        await perform_at(sandbox, NOW + at, command)

    check(sandbox.account.portfolios[0])


async def test_quarter_that_is_played_by_the_clock_is_the_one_that_is_stepped_through(
    played: Sandbox,
) -> None:
    stepped = played.account.portfolios[0]
    world = sandbox_of(stepped.precision)
    scenario = replace(scenarios.load("quarter"), speed=1e9)

    await scenarios.play(world, scenario)

    entries = [
        (entry.kind, entry.dollars, entry.at)
        for entry in world.account.portfolios[0].ledger.entries
    ]
    assert entries == [(entry.kind, entry.dollars, entry.at) for entry in stepped.ledger.entries]


class TestPlayed:
    def test_untold_interest_is_all_there_is_of_it(self, played: Sandbox) -> None:
        entries = played.account.portfolios[0].ledger.entries

        assert sum(each.dollars for each in entries if each.kind == "untold") == UNTOLD

    def test_trader_opens_adds_closes_turns_round_and_makes_as_well_as_takes(
        self, played: Sandbox
    ) -> None:
        kinds = Counter(kind for kind, _ in self.trades(played))
        fills = played.account.portfolios[0].fills

        assert kinds.keys() == {"opens", "adds", "closes some", "closes all", "turns round"}
        assert min(kinds.values()) >= 3
        assert {fill.is_taker for fill in fills} == {True, False}
        assert any(fill.count % 1 for fill in fills)
        assert any(fill.yes_price % Decimal("0.01") for fill in fills)
        assert max(Counter(fill.order_id for fill in fills).values()) >= 3

    def trades(self, played: Sandbox) -> Iterator[tuple[str, str]]:
        held: dict[str, Decimal] = {}
        for fill in played.account.portfolios[0].fills:
            before, after = held.get(fill.ticker, ZERO), fill.post_quantity
            held[fill.ticker] = after
            if not before:
                yield "opens", fill.ticker
            elif not after:
                yield "closes all", fill.ticker
            elif before * after < 0:
                yield "turns round", fill.ticker
            else:
                yield "adds" if abs(after) > abs(before) else "closes some", fill.ticker

    def test_market_is_left_and_bought_again_weeks_later(self, played: Sandbox) -> None:
        fills = [
            each for each in played.account.portfolios[0].fills if each.ticker == "KXQYEAR-1-YES"
        ]
        (left, *_), (again, *_) = (
            [fill for fill in fills if fill.at >= NOW + 18 * DAY],
            [fill for fill in fills if fill.at >= NOW + 19 * DAY],
        )

        assert (left.at, left.post_quantity) == (NOW + 18 * DAY, 0)
        assert again.at == NOW + 40 * DAY

    def test_collateral_comes_back_and_is_taken_back(self, played: Sandbox) -> None:
        flows = [
            entry.dollars
            for entry in played.account.portfolios[0].ledger.entries
            if entry.kind == "collateral_return"
        ]

        assert sum(flow > 0 for flow in flows) > 10
        assert sum(flow < 0 for flow in flows) > 10

    def test_markets_end_in_every_way(self, played: Sandbox) -> None:
        done = Counter(command["do"] for _, command in QUARTER)
        results = Counter(
            played.exchange.markets[each.position.ticker].result
            for each in played.account.portfolios[0].settlements
        )

        assert min(results["yes"], results["no"], results["scalar"]) >= 3
        assert done["dispute"] == done["amend"] > 0
        assert done["amend_paid"] >= 3

    def test_markets_of_an_event_are_paid_out_at_one_moment(self, played: Sandbox) -> None:
        corrected = {c["market"] for _, c in QUARTER if c["do"] == "amend_paid"}
        markets = [
            each
            for each in played.exchange.markets.values()
            if each.event_ticker.startswith("KXQ") and each.ticker not in corrected
        ]

        for _, of_event in groupby(markets, key=lambda market: market.event_ticker):
            assert len({market.settled_at for market in of_event}) == 1

    def test_money_came_and_went_in_every_way(self, played: Sandbox) -> None:
        first = played.account.portfolios[0]
        statuses = {(each.direction, each.status) for each in first.transfers.values()}

        assert statuses == {
            ("deposit", "applied"),
            ("withdrawal", "applied"),
            ("withdrawal", "failed"),
            ("withdrawal", "returned"),
        }
        assert len(played.account.subaccount_transfers) == 2
        assert len(played.account.instance_transfers) == 2
        assert played.account.portfolios[1].fills

    def test_what_is_archived_is_told_by_the_history_alone(self, played: Sandbox) -> None:
        key, query = played.exchange.key(played.key_id), {"limit": "1000", "subaccount": "0"}
        assert key is not None
        live = activity.fills(played.exchange, key, query)["fills"]
        old = activity.historical_fills(played.exchange, key, query)["fills"]
        paid = activity.settlements(played.exchange, key, query)["settlements"]
        past = portfolio.historical_positions(played.exchange, key, query)["market_positions"]
        present = portfolio.positions(played.exchange, key, query | {"settlement_status": "all"})[
            "market_positions"
        ]

        held = played.account.portfolios[0]
        cutoff = played.exchange.history_before
        assert cutoff == NOW + LENGTH - 30 * DAY
        assert len(live) + len(old) == len(held.fills)
        assert min(len(live), len(old)) > 50
        assert all(datetime.fromisoformat(row["settled_time"]) >= cutoff for row in paid)
        assert 0 < len(paid) < len(held.settlements)
        assert len(past) > 20
        assert {row["ticker"] for row in past} | {row["ticker"] for row in present} == set(
            held.positions
        )
        assert not {row["ticker"] for row in past} & {row["ticker"] for row in present}


def test_scenario_lasts_a_minute() -> None:
    scenario = scenarios.load("quarter")

    assert scenario.speed is not None
    assert sum(step.after for step in scenario.steps) / scenario.speed == pytest.approx(60)
    assert [step.command for step in scenario.steps] == [command for _, command in QUARTER]
