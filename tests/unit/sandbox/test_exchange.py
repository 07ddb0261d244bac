from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.account import Account
from sandbox.exchange import Exchange
from sandbox.happenings import EventListed, Filled, LifecycleChanged, TickerChanged
from sandbox.market import EMPTY_BOOK, Quote
from sandbox.offering import Offering


def test_fill_changes_position_cash_and_the_last_trade(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    market = exchange.markets["KXGAME-1-A"]

    filled, changed = exchange.fill(alice, market.ticker, "no", Decimal(10), Decimal("0.60"), now)

    # k = 0.07 at half the fees: 0.035 * 10 * 0.4 * 0.6 = 0.084; cash 1000 - 4 - 0.084
    assert isinstance(filled, Filled)
    assert filled.position.quantity == -10
    assert filled.fill.fee == Decimal("0.084")
    assert alice.portfolios[0].cash == Decimal("995.916")
    assert changed == TickerChanged(market)
    assert (market.tape.last_price, market.tape.volume) == (Decimal("0.60"), Decimal(110))


def test_fill_of_a_subaccount_leaves_the_primary_one_alone(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.50"), now, subaccount=1)

    assert list(alice.portfolios[1].positions) == ["KXGAME-1-A"]
    assert alice.portfolios[0].positions == {}
    assert alice.portfolios[0].cash == 1000


def test_event_of_a_known_series_trades_on_its_shard(exchange: Exchange, now: datetime) -> None:
    offering = Offering(
        event_ticker="KXGAME-2",
        series_ticker="KXGAME",
        title="Who wins the next one?",
        outcomes=[("HOME", Decimal("0.55"))],
        closes_in=timedelta(hours=3),
        fee_multiplier=Decimal("0.5"),
    )

    listed, *_ = exchange.list_event(*offering.listing(now), now)

    assert isinstance(listed, EventListed)
    assert listed.exchange_index == 3
    assert exchange.markets["KXGAME-2-HOME"].exchange_index == 3


def test_quote_off_the_grid_changes_nothing(exchange: Exchange, now: datetime) -> None:
    before = exchange.markets["KXGAME-1-A"].tape
    quote = Quote(Decimal("0.475"), Decimal(1), Decimal("0.53"), Decimal(1))

    with pytest.raises(ValueError, match="not a price"):
        exchange.set_quote("KXGAME-1-A", quote, now)
    assert exchange.markets["KXGAME-1-A"].tape == before


def test_closed_market_keeps_its_last_trade_and_trades_no_more(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    market = exchange.markets["KXGAME-1-A"]

    happened = exchange.close(market.ticker, now)

    assert happened == (TickerChanged(market),)
    assert (market.status, market.close_time) == ("closed", now)
    assert (market.tape.quote, market.tape.last_price) == (EMPTY_BOOK, Decimal("0.50"))
    with pytest.raises(ValueError, match="is closed"):
        exchange.fill(alice, market.ticker, "yes", Decimal(1), Decimal("0.50"), now)


@pytest.mark.parametrize(
    ("yes_value", "result"), [("1", "yes"), ("0", "no"), ("0.35", "scalar")], ids=str
)
def test_determining_an_active_market_closes_it_first(
    exchange: Exchange, now: datetime, yes_value: str, result: str
) -> None:
    market = exchange.markets["KXGAME-1-A"]

    happened = exchange.determine(market.ticker, Decimal(yes_value), now)

    assert happened == (TickerChanged(market), LifecycleChanged(market, "determined", now))
    assert (market.status, market.result) == ("determined", result)
    assert market.settlement_value == Decimal(yes_value)


def test_step_closes_what_has_reached_its_close_time(exchange: Exchange, now: datetime) -> None:
    market = exchange.markets["KXGAME-1-A"]
    exchange.reschedule(market.ticker, now + timedelta(minutes=1), now)

    exchange.step(now + timedelta(minutes=1))

    assert market.status == "closed"


def test_step_with_certain_fills_fills_what_is_held(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    for ticker in exchange.markets:
        exchange.fill(alice, ticker, "yes", Decimal(5), Decimal("0.50"), now)

    filled, *_ = exchange.step(now, own_fill_chance=1.0)

    portfolio = alice.portfolios[0]
    assert isinstance(filled, Filled)
    assert portfolio.fills[-1] == filled.fill
    assert portfolio.cash == sum(entry.dollars for entry in portfolio.ledger.entries)


def test_revoked_key_is_unknown(exchange: Exchange, alices_key: object) -> None:
    exchange.revoke_key("alices")

    assert exchange.key("alices") is None
