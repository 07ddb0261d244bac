from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.fixed_point import contracts, dollars


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.4700", "0.4700"),
        ("2.500000", "2.500000"),
        ("-0.42", "-0.42"),
        ("98.0186", "98.0186"),
        ("0.00000001", "0.00000001"),
        ("1", "1"),
    ],
)
def test_dollars_keep_every_decimal(text, expected):
    assert f"{dollars(text):f}" == expected


@pytest.mark.parametrize("text", ["3.00", "-12.50", "0.01", "7", "861265.22"])
def test_contracts_are_exact_to_a_hundredth(text):
    assert str(contracts(text)) == text


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_dollars_survive_writing_and_reading(amount):
    assert dollars(f"{amount:f}") == amount


@pytest.mark.parametrize(
    "value",
    [
        *[
            "",
            " 1",
            "1 ",
            "+1",
            "1.",
            ".5",
            "1e3",
            "NaN",
            "Infinity",
            "0x1",
            "1,000",
            "1_000",
            "--1",
        ],
        *["1\n", "१", "½", "1" * 13, "$1"],
        *[1, 0.47, True, None, Decimal(1), ["1"]],
    ],
    ids=repr,
)
@pytest.mark.parametrize("read", [dollars, contracts])
def test_anything_else_is_refused(read, value):
    with pytest.raises(ValueError, match="not a plain decimal string"):
        read(value)


def test_dollars_have_no_more_decimals_than_can_be_reckoned_with():
    assert dollars("0." + "1" * 18)
    with pytest.raises(ValueError, match="not a plain decimal string"):
        dollars("0." + "1" * 19)


def test_contracts_are_not_divided_further():
    with pytest.raises(ValueError, match="not a plain decimal string"):
        contracts("1.001")
