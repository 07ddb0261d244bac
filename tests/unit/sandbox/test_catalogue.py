from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from sandbox import wire
from sandbox.catalogue import world
from sandbox.exchange import Exchange
from sandbox.market import NEVER_QUOTED, check_quote


def stepped(seed: int, now: datetime) -> Exchange:
    exchange, _ = world(positions=50, seed=seed, now=now)
    for second in range(300):
        exchange.step(now + timedelta(seconds=second), own_fill_chance=0.1)
    return exchange


def test_same_seed_and_steps_make_the_same_world(now: datetime) -> None:
    one, other = stepped(7, now), stepped(7, now)

    assert one.markets == other.markets
    assert one.accounts == other.accounts


def test_another_seed_makes_another_world(now: datetime) -> None:
    assert stepped(7, now).markets != stepped(8, now).markets


@pytest.mark.parametrize("positions", [0, 1, 230, 2000])
def test_every_held_market_may_have_an_event_of_its_own(positions: int, now: datetime) -> None:
    exchange, account = world(positions=positions, seed=1, now=now, events_apart=True)

    held = account.portfolios[0].positions
    assert len(held) == positions
    assert len({exchange.markets[ticker].event_ticker for ticker in held}) == positions
    assert len(exchange.events) == positions


@pytest.mark.parametrize("positions", [0, 1, 50, 2000])
def test_member_holds_as_many_positions_as_asked_for(positions: int, now: datetime) -> None:
    exchange, account = world(positions=positions, seed=1, now=now)

    portfolio = account.portfolios[0]
    assert len(portfolio.positions) == positions
    assert all(position.quantity for position in portfolio.positions.values())
    assert portfolio.cash == sum(entry.dollars for entry in portfolio.ledger.entries)
    assert portfolio.cash > 0
    assert {market.event_ticker for market in exchange.markets.values()} == set(exchange.events)


def test_fifty_positions_show_every_kind_of_market(now: datetime) -> None:
    exchange, account = world(positions=50, seed=1, now=now)

    markets = exchange.markets.values()
    quotes = [market.tape.quote for market in markets]
    quantities = [position.quantity for position in account.portfolios[0].positions.values()]
    assert len({market.grid.structure for market in markets}) == 4
    assert len(exchange.series) >= 6
    assert {event.mutually_exclusive for event in exchange.events.values()} == {True, False}
    assert any(quantity > 0 for quantity in quantities)
    assert any(quantity < 0 for quantity in quantities)
    assert any(quantity % 1 for quantity in quantities)
    assert any(not quote.has_bid and quote.has_ask for quote in quotes)
    assert any(quote.has_bid and not quote.has_ask for quote in quotes)
    assert NEVER_QUOTED in quotes
    assert [market.status for market in markets].count("closed") == 1
    assert max(len(market.title) for market in markets) > 80


def test_quotes_stay_valid_however_long_the_market_moves(now: datetime) -> None:
    exchange = stepped(7, now)

    for market in exchange.markets.values():
        check_quote(market.tape.quote, market.grid)
    assert all(
        portfolio.cash == sum(entry.dollars for entry in portfolio.ledger.entries)
        for account in exchange.accounts.values()
        for portfolio in account.portfolios.values()
    )


def test_prices_have_no_more_decimals_than_the_wire(now: datetime) -> None:
    exchange = stepped(7, now)

    assert all(
        market.tape.last_price == market.tape.last_price.quantize(Decimal("0.0001"))
        for market in exchange.markets.values()
    )


def test_markets_have_a_past_that_leads_to_where_they_stand(now: datetime) -> None:
    exchange, _ = world(positions=10, seed=1, now=now)
    market = next(iter(exchange.markets.values()))

    end = int(now.timestamp())
    hours = market.candles.between(0, end, 60)
    days = market.candles.between(0, end + 86_400, 1440)

    assert len(hours) == 24 * 8
    assert hours[-1].yes_bid.close == market.previous.quote.yes_bid
    assert all(before.yes_bid.close == after.yes_bid.open for before, after in pairwise(hours))
    assert sum(day.volume for day in days) == sum(hour.volume for hour in hours)
    assert sum(hour.volume for hour in hours) < market.tape.volume


def test_purchases_are_booked_in_the_order_of_their_times(now: datetime) -> None:
    _, account = world(positions=50, seed=1, now=now)

    times = [fill.at for fill in account.portfolios[0].fills]
    assert times == sorted(times)


def test_counts_of_the_past_have_the_digits_that_the_wire_has(now: datetime) -> None:
    exchange, _ = world(positions=50, seed=1, now=now)

    for market in exchange.markets.values():
        for candle in market.candles.between(0, int(now.timestamp()), 60):
            assert Decimal(wire.count(candle.open_interest)) == candle.open_interest
            assert Decimal(wire.count(candle.volume)) == candle.volume
