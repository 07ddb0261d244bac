"""What was recorded of the exchange's payouts and grids is reproduced, and how much there is."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.account import Portfolio
from sandbox.grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    DECI_CENT,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    PriceGrid,
)
from sandbox.position import Position
from tests.unit.sandbox.conftest import NOW
from tests.unit.sandbox.published import payload

FEES, SETTLEMENTS, GRIDS = payload("fees.json"), payload("settlements.json"), payload("grids.json")
KNOWN_GRIDS = {
    grid.structure: grid
    for grid in (LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT)
}


def test_vectors_are_all_there() -> None:
    assert sum(vector["fills"] for vector in FEES) == 36
    assert len(SETTLEMENTS) == 22
    assert sum(vector["markets"] for vector in GRIDS) == 81
    assert sum(len(vector["prices"]) for vector in GRIDS) == 50


@pytest.mark.parametrize("vector", SETTLEMENTS, ids=lambda vector: str(vector["revenue"]))
def test_recorded_payout_is_reproduced(vector: dict[str, Any]) -> None:
    yes, no = Decimal(vector["yes_count_fp"]), Decimal(vector["no_count_fp"])
    portfolio = Portfolio(0, Decimal(0), NOW)
    portfolio.positions["A"] = Position("A", quantity=yes - no)

    settlement = portfolio.settle("A", Decimal(vector["value"]) / 100, NOW)

    assert settlement is not None
    assert settlement.revenue == Decimal(vector["revenue"]) / 100


@pytest.mark.parametrize("vector", GRIDS, ids=lambda vector: vector["price_level_structure"])
def test_recorded_grid_is_ours_and_its_prices_lie_on_it(vector: dict[str, Any]) -> None:
    grid = KNOWN_GRIDS[vector["price_level_structure"]]

    ranges = [
        {"start": f"{each.start:.4f}", "end": f"{each.end:.4f}", "step": f"{each.step:.4f}"}
        for each in grid.ranges
    ]
    assert ranges == vector["price_ranges"]
    assert {Decimal(price) for price in vector["prices"]} <= set(grid.prices)


@pytest.mark.parametrize(
    ("grid", "on", "off"),
    [
        (LINEAR_CENT, ["0.01", "0.5", "0.99"], ["0.005", "0.015", "0", "1"]),
        (DECI_CENT, ["0.001", "0.234", "0.999"], ["0.0005", "0.2345"]),
        (TAPERED_DECI_CENT, ["0.099", "0.1", "0.11", "0.9", "0.901"], ["0.101", "0.0995", "0.899"]),
        (
            CENTER_DECI_EDGE_CENTI_CENT,
            ["0.0001", "0.0099", "0.01", "0.011", "0.99", "0.9901"],
            ["0.0101", "0.00995", "0.9899"],
        ),
    ],
    ids=lambda case: getattr(case, "structure", None),
)
def test_ticks_are_finer_only_where_the_grid_tapers(
    grid: PriceGrid, on: list[str], off: list[str]
) -> None:
    assert {Decimal(price) for price in on} <= set(grid.prices)
    assert not {Decimal(price) for price in off} & set(grid.prices)
