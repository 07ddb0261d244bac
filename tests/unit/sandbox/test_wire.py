from decimal import Decimal, Inexact

import pytest

from sandbox import wire


def test_money_is_written_with_the_decimals_of_its_field() -> None:
    assert wire.price(Decimal("0.47")) == "0.4700"
    assert wire.money(Decimal("-2.5")) == "-2.500000"
    assert wire.count(Decimal(3)) == "3.00"


def test_a_value_is_never_rounded_to_fit() -> None:
    with pytest.raises(Inexact):
        wire.price(Decimal("0.47005"))
