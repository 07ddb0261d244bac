"""What came back in all, kept change by change, is what the rule says of what is held."""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions.collateral import returned
from positions.collateral_book import CollateralBook, PaidMarket
from positions.pnl import ZERO
from positions.portfolio import MarketFacts

TYPES = {"GAME": "MECNET", "CUP": "MECNET", "RAIN": "", "WIND": "DIRECNET", "NEW": None}
MARKETS = {f"{event}-{outcome}": event for event in TYPES for outcome in "ABC"}


def facts(event: str, return_type: str | None = "MECNET") -> MarketFacts:
    return MarketFacts(
        event, "SERIES", "Who?", "Yes", "No", None, collateral_return_type=return_type
    )


def book_of(**held: str) -> CollateralBook:
    """So many contracts in markets of one exclusive event."""
    book = CollateralBook()
    book.set_netting(True)
    for ticker, quantity in held.items():
        book.hold(ticker, facts("GAME"), Decimal(quantity))
    return book


def in_all(
    held: dict[str, Decimal], won: set[str], types: dict[str, str | None], is_netting: bool | None
) -> Decimal | None:
    events: dict[str, list[Decimal]] = defaultdict(list)
    for ticker, quantity in held.items():
        events[MARKETS[ticker]].append(quantity)
    known = [
        returned(
            types[event],
            quantities,
            is_netting=is_netting,
            has_yes_won=any(MARKETS[each] == event for each in won),
        )
        for event, quantities in events.items()
    ]
    return None if None in known else sum(known, ZERO)


_QUANTITIES = st.decimals("-20", "20", places=2)
_TICKERS = st.sampled_from(sorted(MARKETS))
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), _TICKERS, _QUANTITIES),
        st.tuples(st.just("close"), _TICKERS, st.just(ZERO)),
        st.tuples(st.just("paid"), _TICKERS, st.booleans()),
        st.tuples(st.just("netting"), st.just(""), st.sampled_from([True, False, None])),
        st.tuples(st.just("read"), st.just("NEW"), st.sampled_from(["MECNET", "", "DIRECNET"])),
    ),
    max_size=30,
)


@given(_STEPS)
def test_change_by_change_it_is_what_the_rule_says_of_all(steps):
    book = CollateralBook()
    held: dict[str, Decimal] = {}
    won: set[str] = set()
    types, is_netting = dict(TYPES), None
    for kind, name, value in steps:
        before, moved = book.dollars, None
        if kind == "netting":
            is_netting = value
            book.set_netting(value)
        elif kind == "read":
            types[name] = value
            for ticker in [each for each in held if MARKETS[each] == name]:
                book.describe(ticker, facts(name, value))
        elif kind == "paid":
            (won.add if value else won.discard)(name)
            moved = book.paid([PaidMarket(name, MARKETS[name], value)])
        else:
            moved = book.hold(name, facts(MARKETS[name], types[MARKETS[name]]), value)
            held[name] = value
            if not value:
                del held[name]
        told = in_all(held, won, types, is_netting)
        assert book.dollars == told
        if None not in (before, moved, told):
            assert told - before == moved


def test_what_cannot_be_said_moves_nothing_that_is_known():
    book = CollateralBook()

    assert book.hold("A", facts("GAME"), Decimal(-5)) == 0
    # Whether the account has netting is not told.
    assert book.hold("B", facts("GAME"), Decimal(-5)) is None
    assert book.dollars is None


@pytest.mark.parametrize("is_held", [True, False])
def test_market_whose_event_was_guessed_goes_to_its_own(is_held):
    book = book_of(A="-5")
    book.hold("B", facts("GUESSED", None), Decimal(-5))
    assert book.dollars == 0

    if is_held:
        book.describe("B", facts("GAME"))
        assert book.dollars == 5
    else:
        assert book.hold("B", facts("GAME"), ZERO) == 0
        assert book.dollars == 0


def test_of_a_market_that_is_not_held_nothing_is_kept():
    book = book_of(A="-5", B="-5")

    book.describe("C", facts("GAME"))

    assert book.hold("C", facts("GAME"), ZERO) == 0
    assert book.dollars == 5


def test_payout_corrected_takes_it_back():
    book = book_of(A="-5", B="-5")

    assert book.paid([PaidMarket("C", "GAME", is_yes=True)]) == 5
    assert book.paid([PaidMarket("C", "GAME", is_yes=False)]) == -5
