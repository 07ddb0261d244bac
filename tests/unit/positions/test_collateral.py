"""What comes back early on one event, by cases, and never more than is certain."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions.collateral import returned


def dollars(*quantities: str) -> list[Decimal]:
    return [Decimal(each) for each in quantities]


@pytest.mark.parametrize(
    ("return_type", "quantities", "options", "expected"),
    [
        ("MECNET", dollars(), {}, "0"),
        ("MECNET", dollars("-10"), {}, "0"),
        ("MECNET", dollars("-10", "-4"), {}, "4"),
        ("MECNET", dollars("-10", "-4", "-2.5"), {}, "6.5"),
        # YES makes nothing more certain, whatever it is mixed with.
        ("MECNET", dollars("-10", "7", "-4"), {}, "4"),
        ("MECNET", dollars("10", "7"), {}, "0"),
        # A market has paid its YES: all NO that are left are certain.
        ("MECNET", dollars("-10", "-4"), {"has_yes_won": True}, "14"),
        ("MECNET", dollars("-10", "-4"), {"is_netting": False}, "0"),
        # It is not known whether netting is on: with one leg it makes no difference.
        ("MECNET", dollars("-10", "-4"), {"is_netting": None}, None),
        ("MECNET", dollars("-10", "3"), {"is_netting": None}, "0"),
        ("", dollars("-10", "-4"), {}, "0"),
        ("DIRECNET", dollars("-10"), {}, "0"),
        ("DIRECNET", dollars("-10", "4"), {}, None),
        ("DIRECNET", dollars("-10", "4"), {"is_netting": False}, "0"),
        # The event has not been read, or is of a type that nobody knows yet.
        (None, dollars("-10", "-4"), {}, None),
        (None, dollars("-10"), {}, "0"),
        ("NEWNET", dollars("-10", "-4"), {}, None),
    ],
)
def test_cases(return_type, quantities, options, expected):
    told = returned(return_type, quantities, **{"is_netting": True} | options)

    assert told == (None if expected is None else Decimal(expected))


@given(st.lists(st.decimals("-100", "100", places=2), min_size=1, max_size=6))
def test_it_is_what_no_holdings_pay_at_least(quantities):
    """Whichever market wins, or none of them: the NO that are held pay that much."""
    no = [max(-each, Decimal(0)) for each in quantities]
    outcomes = [sum(no) - lost for lost in (*no, Decimal(0))]

    assert returned("MECNET", quantities, is_netting=True) == min(outcomes)


@given(st.lists(st.decimals("0.01", "100", places=2), min_size=1, max_size=6))
def test_more_of_one_leg_never_takes_back(counts):
    legs = [-each for each in counts]
    told = [returned("MECNET", legs[:number], is_netting=True) for number in range(len(legs) + 1)]

    assert all(before <= after for before, after in pairwise(told))
