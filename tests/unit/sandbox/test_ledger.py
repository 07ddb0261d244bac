"""Cash is the sum of the ledger, whatever happens and in whatever order."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.account import Account, Portfolio
from sandbox.collateral import returnable
from sandbox.exchange import Exchange
from sandbox.fees import PRECISIONS
from sandbox.ledger import Ledger
from tests.unit.sandbox.conftest import NOW, exclusive_exchange

TICKERS = ["KXCUP-1-A", "KXCUP-1-B", "KXCUP-1-C", "KXRAIN-1-D"]

tickers = st.sampled_from(TICKERS)
counts = st.decimals("0.01", "500", places=2)
cents = st.integers(1, 99).map(lambda cent: Decimal(cent).scaleb(-2))
fills = st.tuples(
    st.just("fill"), tickers, st.sampled_from(["yes", "no"]), counts, cents, st.booleans()
)
deposits = st.tuples(
    st.just("deposit"), st.integers(100, 1_000_000), st.integers(0, 100), st.booleans()
)
withdrawals = st.tuples(
    st.just("withdrawal"), st.integers(100, 10_000), st.integers(0, 100), st.booleans()
)
moves = st.tuples(st.just("move"), st.integers(1, 5_000), st.booleans())
untold = st.tuples(st.just("untold"), st.integers(-500, 500))
netting = st.tuples(st.just("netting"), st.booleans())
histories = st.lists(
    st.one_of(fills, fills, fills, deposits, withdrawals, moves, untold, netting), max_size=25
)
precisions = st.sampled_from(PRECISIONS)
# The first market of the three that exclude each other to end as YES; 3 is none of them.
outcomes = st.tuples(
    st.integers(0, 3), st.sampled_from(["0", "1", "0.37"]), st.permutations(TICKERS)
)
# One order for several fills, or one for each.
ORDER = "0b5e9a4e-6a86-4be2-8f0c-0f5c0f6a3f0e"


def happened(
    exchange: Exchange, history: list[Any], precision: Decimal = PRECISIONS[0]
) -> Portfolio:
    """A member's portfolio after a history of fills and of cash that came and went."""
    opening = {0: Decimal(100_000), 1: Decimal(10_000)}
    account = exchange.open_account(opening, NOW, precision=precision)
    for step in history:
        happen(exchange, account, *step)
    return account.portfolios[0]


def happen(exchange: Exchange, account: Account, kind: str, *how: Any) -> None:
    match kind, how:
        case "fill", (ticker, side, count, yes_price, is_taker):
            order_id = None if is_taker else ORDER
            exchange.fill(
                account, ticker, side, count, yes_price, NOW, is_taker=is_taker, order_id=order_id
            )
        case "move", (cents, is_back):
            exchange.move_cash(account, int(is_back), int(not is_back), cents, NOW)
        case "untold", (cents,):
            exchange.pay_untold(account, Decimal(cents).scaleb(-2), NOW)
        case "netting", (is_netting,):
            exchange.set_netting(account, 0, is_netting, NOW)
        case _, (amount, fee, is_returned):
            transfer = exchange.transfer(account, kind, amount, NOW, fee_cents=fee)  # type: ignore[arg-type]
            if is_returned:
                exchange.finish_transfer(account, transfer.transfer_id, "returned", NOW)


def settle(exchange: Exchange, outcome: tuple[int, str, list[str]]) -> None:
    winner, rain, order = outcome
    values = {ticker: Decimal(index == winner) for index, ticker in enumerate(TICKERS[:3])}
    values[TICKERS[3]] = Decimal(rain)
    for ticker in order:
        exchange.determine(ticker, values[ticker], NOW)
        exchange.settle(ticker, NOW + timedelta(minutes=5))


def amend(exchange: Exchange, winner: int, rain: str) -> None:
    """Decide everything anew after it was paid, another market of the three winning."""
    after = (winner + 1) % 4
    values = {ticker: Decimal(index == after) for index, ticker in enumerate(TICKERS[:3])}
    values[TICKERS[3]] = Decimal(rain)
    for ticker in sorted(values, key=lambda ticker: values[ticker]):
        exchange.amend_paid(ticker, values[ticker], NOW + timedelta(days=2))


def ledger_sum(portfolio: Portfolio, *kinds: str) -> Decimal:
    return sum(
        (entry.dollars for entry in portfolio.ledger.entries if not kinds or entry.kind in kinds),
        Decimal(0),
    )


@given(histories, precisions)
def test_cash_is_the_sum_of_the_ledger_to_the_last_digit(
    history: list[Any], precision: Decimal
) -> None:
    portfolio = happened(exclusive_exchange(), history, precision)

    assert portfolio.cash == ledger_sum(portfolio)
    assert portfolio.cash % precision == 0
    assert ledger_sum(portfolio, "fill") == sum(fill.cash_flow for fill in portfolio.fills)


@given(histories)
def test_cash_that_moves_between_subaccounts_stays_the_members(history: list[Any]) -> None:
    exchange = exclusive_exchange()
    happened(exchange, history)

    (account,) = exchange.accounts.values()
    moved = [ledger_sum(each, "subaccount_transfer") for each in account.portfolios.values()]
    assert sum(moved) == 0


@given(histories, outcomes, precisions, st.sampled_from([None, "0", "0.62"]))
def test_settled_world_owes_nothing_and_cash_is_what_was_won(
    history: list[Any],
    outcome: tuple[int, str, list[str]],
    precision: Decimal,
    amended: str | None,
) -> None:
    exchange = exclusive_exchange()
    portfolio = happened(exchange, history, precision)

    settle(exchange, outcome)
    if amended is not None:
        amend(exchange, outcome[0], amended)

    positions = portfolio.positions.values()
    assert all((each.quantity, each.exposure, each.open_fees) == (0, 0, 0) for each in positions)
    assert portfolio.cash == ledger_sum(portfolio)
    assert ledger_sum(portfolio, "collateral_return") == 0
    assert ledger_sum(portfolio, "settlement") == sum(
        settlement.revenue for settlement in portfolio.settlements
    )
    assert ledger_sum(portfolio, "fill", "settlement") == sum(
        each.realized_pnl - each.fees_paid for each in positions
    )


@given(histories, outcomes)
def test_returned_collateral_is_never_more_than_the_payouts_to_come(
    history: list[Any], outcome: tuple[int, str, list[str]]
) -> None:
    exchange = exclusive_exchange()
    portfolio = happened(exchange, history)

    returned = ledger_sum(portfolio, "collateral_return")
    settle(exchange, outcome)

    assert 0 <= returned <= ledger_sum(portfolio, "settlement")


def test_entry_of_nothing_is_left_out() -> None:
    ledger = Ledger()

    ledger.post("collateral_return", Decimal(0), "KXCUP-1", NOW)

    assert ledger.entries == []


@pytest.mark.parametrize(
    ("counts", "is_decided", "dollars"),
    [
        ([], False, "0"),
        (["10"], False, "0"),
        (["10", "4"], False, "4"),
        # 10 + 4 + 6, less the 10 that may be lost
        (["10", "4", "6"], False, "10"),
        (["10", "4"], True, "14"),
    ],
    ids=str,
)
def test_returned_is_what_no_holdings_pay_at_worst(
    counts: list[str], is_decided: bool, dollars: str
) -> None:
    certain = returnable([Decimal(count) for count in counts], is_decided=is_decided)

    assert certain == Decimal(dollars)


def test_second_no_holding_of_an_event_brings_collateral_back_and_its_sale_takes_it(
    now: datetime,
) -> None:
    exchange = exclusive_exchange()
    account = exchange.open_account({0: Decimal(100)}, now)
    portfolio = account.portfolios[0]

    exchange.fill(account, "KXCUP-1-A", "no", Decimal(10), Decimal("0.40"), now)
    exchange.fill(account, "KXCUP-1-B", "no", Decimal(6), Decimal("0.30"), now)
    held = ledger_sum(portfolio, "collateral_return")
    exchange.fill(account, "KXCUP-1-B", "yes", Decimal(6), Decimal("0.30"), now)

    assert held == 6
    assert ledger_sum(portfolio, "collateral_return") == 0


def test_markets_that_exclude_each_other_pay_a_dollar_together(now: datetime) -> None:
    exchange = exclusive_exchange()
    exchange.determine("KXCUP-1-A", Decimal("0.60"), now)

    with pytest.raises(ValueError, match="pay a dollar together"):
        exchange.determine("KXCUP-1-B", Decimal("0.41"), now)
    exchange.determine("KXCUP-1-B", Decimal("0.40"), now)

    assert exchange.markets["KXCUP-1-B"].result == "scalar"
