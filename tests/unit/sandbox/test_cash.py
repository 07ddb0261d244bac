"""What changes cash besides trading, and how precise a balance is."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.account import Account, Portfolio
from sandbox.exchange import Exchange
from sandbox.fees import CENT_PRECISION
from sandbox.happenings import LifecycleChanged, PaidOut
from tests.unit.sandbox.conftest import NOW, exclusive_exchange

TICKER = "KXRAIN-1-C"


def entries(portfolio: Portfolio, kind: str) -> list[Decimal]:
    return [entry.dollars for entry in portfolio.ledger.entries if entry.kind == kind]


class TestMoves:
    def test_both_ledgers_get_their_entry(
        self, exchange: Exchange, alice: Account, now: datetime
    ) -> None:
        moved = exchange.move_cash(alice, 0, 1, 12_550, now)

        giving, taking = alice.portfolios[0], alice.portfolios[1]
        assert (giving.cash, taking.cash) == (Decimal("874.50"), Decimal("625.50"))
        assert giving.ledger.entries[-1].kind == "subaccount_transfer"
        assert taking.ledger.entries[-1].reference == moved.transfer_id

    def test_destination_that_is_not_there_is_opened_as_precise(self, now: datetime) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(10)}, now, precision=CENT_PRECISION)

        exchange.move_cash(member, 0, 63, 1, now)

        assert member.portfolios[63].cash == Decimal("0.01")
        assert member.portfolios[63].precision == CENT_PRECISION

    @pytest.mark.parametrize(
        ("source", "destination", "cents", "message"),
        [
            (0, 0, 1, "another subaccount"),
            (0, 64, 1, "from 0 to 63"),
            (0, 1, 0, "above 0"),
            (0, 2, 100_001, "more than the cash"),
        ],
    )
    def test_what_cannot_move_changes_nothing(
        self,
        exchange: Exchange,
        alice: Account,
        now: datetime,
        source: int,
        destination: int,
        cents: int,
        message: str,
    ) -> None:
        with pytest.raises(ValueError, match=message):
            exchange.move_cash(alice, source, destination, cents, now)

        assert [each.cash for each in alice.portfolios.values()] == [1000, 500]
        assert alice.subaccount_transfers == []


def test_untold_cash_is_in_the_ledger_alone(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    exchange.pay_untold(alice, Decimal("3.0712"), now)
    exchange.pay_untold(alice, Decimal("-1"), now, subaccount=1)

    assert entries(alice.portfolios[0], "untold") == [Decimal("3.0712")]
    assert alice.portfolios[1].cash == 499
    assert not alice.portfolios[0].transfers


class TestAmendmentAfterPayment:
    @pytest.fixture
    def paid(self, exchange: Exchange, alice: Account, now: datetime) -> None:
        """10 YES bought at 0.40 in one subaccount and 4 NO at 0.60 in the other; YES was paid."""
        exchange.fill(alice, TICKER, "yes", Decimal(10), Decimal("0.40"), now)
        exchange.fill(alice, TICKER, "no", Decimal(4), Decimal("0.40"), now, subaccount=1)
        exchange.determine(TICKER, Decimal(1), now)
        exchange.settle(TICKER, now)

    @pytest.mark.usefixtures("paid")
    def test_every_holder_gets_or_gives_the_difference(
        self, exchange: Exchange, alice: Account, now: datetime
    ) -> None:
        later = now + timedelta(days=2)
        before = [each.cash for each in alice.portfolios.values()]

        exchange.amend_paid(TICKER, Decimal("0.35"), later)

        first, second = alice.portfolios[0], alice.portfolios[1]
        # 10 * 0.35 instead of 10, and 4 * 0.65 instead of nothing
        assert first.cash - before[0] == Decimal("-6.50")
        assert second.cash - before[1] == Decimal("2.60")
        assert entries(first, "settlement") == [10, Decimal("-6.50")]
        assert first.positions[TICKER].realized_pnl == Decimal("-0.50")
        assert second.positions[TICKER].realized_pnl == Decimal("0.20")

    @pytest.mark.usefixtures("paid")
    def test_settlement_takes_the_old_ones_place(
        self, exchange: Exchange, alice: Account, now: datetime
    ) -> None:
        later = now + timedelta(days=2)

        exchange.amend_paid(TICKER, Decimal(0), later)

        (settlement,) = alice.portfolios[0].settlements
        assert (settlement.yes_value, settlement.revenue, settlement.at) == (0, 0, later)
        assert settlement.position.exposure == 4
        market = exchange.markets[TICKER]
        assert (market.result, market.settlement_value, market.settled_at) == ("no", 0, later)

    @pytest.mark.usefixtures("paid")
    def test_it_is_told_as_decided_and_settled_once_more(
        self, exchange: Exchange, alice: Account, now: datetime
    ) -> None:
        decided, settled, *paid_out = exchange.amend_paid(TICKER, Decimal(0), now)

        market = exchange.markets[TICKER]
        assert decided == LifecycleChanged(market, "determined", now)
        assert settled == LifecycleChanged(market, "settled", now)
        assert [each.subaccount for each in paid_out if isinstance(each, PaidOut)] == [0, 1]

    def test_only_a_market_that_was_paid_can_be(self, exchange: Exchange, now: datetime) -> None:
        with pytest.raises(ValueError, match="is active"):
            exchange.amend_paid(TICKER, Decimal(0), now)

    def test_markets_that_exclude_each_other_still_pay_a_dollar_together(
        self, now: datetime
    ) -> None:
        exchange = exclusive_exchange()
        for ticker, value in (("KXCUP-1-A", 1), ("KXCUP-1-B", 0)):
            exchange.determine(ticker, Decimal(value), now)
            exchange.settle(ticker, now)

        with pytest.raises(ValueError, match="pay a dollar together"):
            exchange.amend_paid("KXCUP-1-B", Decimal(1), now)
        exchange.amend_paid("KXCUP-1-A", Decimal(0), now)
        exchange.amend_paid("KXCUP-1-B", Decimal(1), now)

        assert exchange.markets["KXCUP-1-B"].result == "yes"

    def test_winner_that_is_none_any_more_takes_collateral_back(self, now: datetime) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(100)}, now)
        exchange.fill(member, "KXCUP-1-B", "no", Decimal(8), Decimal("0.30"), now)
        exchange.fill(member, "KXCUP-1-C", "no", Decimal(5), Decimal("0.30"), now)
        exchange.determine("KXCUP-1-A", Decimal(1), now)
        exchange.settle("KXCUP-1-A", now)

        exchange.amend_paid("KXCUP-1-A", Decimal(0), now)

        # 5 as both were bought, all 13 as another had won, 5 again
        assert entries(member.portfolios[0], "collateral_return") == [5, 8, -8]


class TestNetting:
    def test_collateral_is_taken_back_and_returned_again(self, now: datetime) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(100)}, now)
        for ticker in ("KXCUP-1-A", "KXCUP-1-B"):
            exchange.fill(member, ticker, "no", Decimal(6), Decimal("0.30"), now)

        exchange.set_netting(member, 0, False, now)
        exchange.fill(member, "KXCUP-1-C", "no", Decimal(6), Decimal("0.30"), now)
        exchange.set_netting(member, 0, True, now)

        assert entries(member.portfolios[0], "collateral_return") == [6, -6, 12]

    def test_change_of_cash_alone_dates_the_balance(self, now: datetime) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(100)}, now)
        exchange.fill(member, "KXCUP-1-B", "no", Decimal(6), Decimal("0.30"), now)
        later = now + timedelta(hours=1)

        exchange.determine("KXCUP-1-A", Decimal(1), later)
        exchange.settle("KXCUP-1-A", later)

        # Nothing of the member's was paid out, but another market is certain to.
        assert entries(member.portfolios[0], "collateral_return") == [6]
        assert member.portfolios[0].updated_at == later


class TestPrecision:
    def test_order_in_cents_pays_its_rounding_and_gets_whole_cents_back(
        self, now: datetime
    ) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(100)}, now, precision=CENT_PRECISION)
        portfolio = member.portfolios[0]

        for _ in range(2):
            exchange.fill(
                member, "KXRAIN-1-D", "yes", Decimal("0.33"), Decimal("0.47"), now, order_id="one"
            )

        # 0.1551 and up(0.07 * 0.33 * 0.47 * 0.53) = 0.0058 are due: 0.1609, so 0.17. The second
        # time 0.0182 is overpaid, and a cent of it comes back.
        assert [fill.cash_flow for fill in portfolio.fills] == [Decimal("-0.17"), Decimal("-0.16")]
        assert [fill.fee for fill in portfolio.fills] == [Decimal("0.0149"), Decimal("0.0049")]
        assert {fill.order_id for fill in portfolio.fills} == {"one"}

    def test_fill_of_another_order_begins_anew(self, now: datetime) -> None:
        exchange = exclusive_exchange()
        member = exchange.open_account({0: Decimal(100)}, now, precision=CENT_PRECISION)

        for _ in range(2):
            exchange.fill(member, "KXRAIN-1-D", "yes", Decimal("0.33"), Decimal("0.47"), now)

        fills = member.portfolios[0].fills
        assert [fill.cash_flow for fill in fills] == [Decimal("-0.17"), Decimal("-0.17")]
        assert fills[0].order_id != fills[1].order_id

    def test_cash_comes_in_steps_of_the_balance(self, now: datetime) -> None:
        portfolio = Portfolio(0, Decimal(1), now, precision=CENT_PRECISION)

        with pytest.raises(ValueError, match=r"steps of 0\.01"):
            portfolio.post("untold", Decimal("0.001"), "", now)
        with pytest.raises(ValueError, match=r"precise to one of 0\.0001, 0\.01"):
            Portfolio(0, Decimal(1), NOW, precision=Decimal("0.1"))
