"""What is kept of executions until their positions are here."""

from decimal import Decimal

from positions.executions import Executions
from tests.told import NOON

PRICE = Decimal("0.40")


def test_prices_of_what_a_read_found_nothing_of_are_forgotten():
    executions = Executions()
    for ticker, received_at in (("HELD", 10.0), ("SOLD", 10.0), ("JUST BOUGHT", 20.5)):
        executions.priced(ticker, PRICE, NOON, received_at)

    executions.keep_prices({"HELD"}, requested_at=20.0)

    assert executions.price_of("HELD") == (PRICE, NOON)
    assert executions.price_of("JUST BOUGHT") == (PRICE, NOON)
    assert executions.price_of("SOLD") is None
