from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions.decimal_text import plain, quotient, to_six_decimals

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("57.500"), "57.5"),
        (Decimal("57"), "57"),
        (Decimal("57.000"), "57"),
        (Decimal("500"), "500"),
        (Decimal("5E+2"), "500"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-0.4200"), "-0.42"),
        (Decimal("0"), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("0E+3"), "0"),
        (None, None),
    ],
    ids=str,
)
def test_plain_text_of_a_decimal(value, text):
    assert plain(value) == text


@given(DECIMALS)
def test_plain_text_says_exactly_the_value(value):
    text = plain(value)

    assert Decimal(text) == value


@given(DECIMALS)
def test_plain_text_has_no_exponent_and_no_needless_character(value):
    text = plain(value)

    assert set(text) <= set("-.0123456789")
    assert text != "-0"
    assert "." not in text or text[-1] not in ".0"


@pytest.mark.parametrize(
    ("dividend", "divisor", "result"),
    [
        ("2.5", "3", "0.833333"),
        ("2", "3", "0.666667"),
        ("-2", "3", "-0.666667"),
        # Halfway goes to the even digit: 0.0000005, 0.0000015, 0.0000025
        ("0.000001", "2", "0.000000"),
        ("0.000003", "2", "0.000002"),
        ("0.000005", "2", "0.000002"),
        ("-0.000003", "2", "-0.000002"),
        # The largest amount by the smallest count, in percent of the smallest exposure
        ("999999999999.99", "0.01", "99999999999999"),
        ("99999999999999000000", "0.000001", "99999999999999000000000000"),
    ],
)
def test_quotients_have_six_decimals_half_even(dividend, divisor, result):
    assert quotient(Decimal(dividend), Decimal(divisor)) == Decimal(result)


def test_quotients_do_not_depend_on_the_precision_of_the_thread():
    with localcontext(prec=4):
        result = quotient(Decimal(2), Decimal(3))

    assert result == Decimal("0.666667")


@pytest.mark.parametrize(
    ("value", "result"),
    [("0.4567", "0.4567"), ("0.1234565", "0.123456"), ("0.12345651", "0.123457"), ("-7", "-7")],
)
def test_amounts_are_kept_to_six_decimals_half_even(value, result):
    assert to_six_decimals(Decimal(value)) == Decimal(result)
