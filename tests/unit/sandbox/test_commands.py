import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox import catalogue, keys, scenarios
from sandbox.command_fields import BadCommand
from sandbox.commands import perform
from sandbox.server import Sandbox, utc_now
from tests.waiting import until


@pytest.fixture
async def sandbox() -> Sandbox:
    """Ten positions, connected to nobody."""
    exchange, account = catalogue.world(positions=10, seed=1, now=utc_now())
    running = Sandbox(exchange, account, keys.new_ed25519())
    running.add_key(running.credentials)
    return running


DUEL = {
    "event": "KXDUEL-1",
    "series": "KXDUEL",
    "title": "Who wins the duel?",
    "outcomes": "RED:0.55,BLUE:0.43",
    "closes_in": 7200,
}


async def do(sandbox: Sandbox, name: str, **fields: Any) -> None:
    await perform(sandbox, {"do": name, **fields})


def held(sandbox: Sandbox) -> str:
    return min(
        ticker
        for ticker in sandbox.account.portfolios[0].positions
        if sandbox.exchange.markets[ticker].status == "active"
    )


async def test_price_is_moved_to_the_last_digit(sandbox: Sandbox) -> None:
    ticker = held(sandbox)
    await do(sandbox, "quote", market=ticker, yes_bid="0.20", yes_ask=Decimal("0.24"))

    quote = sandbox.exchange.markets[ticker].tape.quote
    assert (quote.yes_bid, quote.yes_ask) == (Decimal("0.20"), Decimal("0.24"))


async def test_held_market_is_named_by_its_number(sandbox: Sandbox) -> None:
    await do(sandbox, "close", market="held:1")

    closed = [each for each in sandbox.exchange.markets.values() if each.status == "closed"]
    assert held(sandbox) > min(market.ticker for market in closed)


async def test_market_is_taken_to_its_end(sandbox: Sandbox) -> None:
    ticker = held(sandbox)
    for name, fields in (
        ("fill", {"side": "yes", "count": "1.5", "yes_price": "0.30"}),
        ("pause", {}),
        ("resume", {}),
        ("reschedule", {"closes_in": 60}),
        ("trade", {"yes_price": "0.31"}),
        ("close", {}),
        ("determine", {"yes_value": 0}),
        ("dispute", {}),
        ("amend", {"yes_value": "1"}),
        ("settle", {}),
    ):
        await do(sandbox, name, market=ticker, **fields)

    assert sandbox.exchange.markets[ticker].status == "finalized"
    assert sandbox.account.portfolios[0].positions[ticker].quantity == 0


async def test_money_is_moved(sandbox: Sandbox) -> None:
    portfolio = sandbox.account.portfolios[0]
    before = portfolio.cash

    await do(sandbox, "deposit", dollars="12.50", fee="0.50")
    await do(sandbox, "withdraw", dollars="2.00", status="pending")
    waiting = list(portfolio.transfers)[-1]
    await do(sandbox, "finish_transfer", transfer=waiting, status="applied")

    assert portfolio.cash == before + 10


async def test_newest_transfer_needs_no_id(sandbox: Sandbox) -> None:
    portfolio = sandbox.account.portfolios[0]
    before = portfolio.cash

    await do(sandbox, "withdraw", dollars="5.00")
    await do(sandbox, "finish_transfer", status="returned")

    assert portfolio.cash == before


async def test_cash_comes_and_goes_in_every_way(sandbox: Sandbox) -> None:
    portfolio = sandbox.account.portfolios[0]
    before = portfolio.cash

    await do(sandbox, "move_cash", **{"from": 0, "to": 3}, dollars="25.50")
    await do(sandbox, "move_instance", dollars="10")
    await do(sandbox, "pay_untold", dollars="-0.25")
    await do(sandbox, "pay_untold", dollars="0.1234", subaccount=3)

    assert portfolio.cash == before - Decimal("35.75")
    assert sandbox.account.portfolios[3].cash == Decimal("25.6234")


async def test_fills_of_one_order_share_its_id(sandbox: Sandbox) -> None:
    order = "0b5e9a4e-6a86-4be2-8f0c-0f5c0f6a3f0e"
    for _ in range(2):
        await do(
            sandbox, "fill", market=held(sandbox), side="yes", count=1, yes_price="0.3", order=order
        )

    assert [each.order_id for each in sandbox.account.portfolios[0].fills[-2:]] == [order] * 2


async def test_event_is_listed_and_trades_at_once(sandbox: Sandbox) -> None:
    event = DUEL | {
        "outcomes": "RED:0.551, BLUE:0.43",
        "mutually_exclusive": True,
        "grid": "deci_cent",
        "fee_type": "quadratic_with_maker_fees",
        "multiplier": "0.5",
        "starts_in": 3600,
    }
    await do(sandbox, "list_event", **event)
    await do(sandbox, "fill", market="KXDUEL-1-RED", side="yes", count=1, yes_price="0.552")

    exchange = sandbox.exchange
    listed = exchange.events["KXDUEL-1"]
    assert [each.ticker for each in exchange.markets_of("KXDUEL-1")] == [
        "KXDUEL-1-RED",
        "KXDUEL-1-BLUE",
    ]
    assert listed.collateral_return_type == "MECNET"
    assert listed.starts_at == listed.created_at + timedelta(hours=1)
    assert exchange.fees_of("KXDUEL-1") == ("quadratic_with_maker_fees", Decimal("0.5"))
    with pytest.raises(BadCommand, match="listed already"):
        await do(sandbox, "list_event", **event)


async def test_another_event_of_a_series_has_its_terms(sandbox: Sandbox) -> None:
    await do(sandbox, "list_event", **DUEL, category="Chess", multiplier="0.5")
    second = DUEL | {"event": "KXDUEL-2"}

    for wrong in ({}, {"category": "Chess"}, {"multiplier": "0.5"}):
        with pytest.raises(BadCommand, match="KXDUEL has other terms: Chess, quadratic"):
            await do(sandbox, "list_event", **second, **wrong)
    assert "KXDUEL-2" not in sandbox.exchange.events
    await do(sandbox, "list_event", **second, category="Chess", multiplier="0.50")

    assert sandbox.exchange.fees_of("KXDUEL-2") == ("quadratic", Decimal("0.5"))


async def test_paid_market_is_decided_anew(sandbox: Sandbox) -> None:
    ticker = held(sandbox)
    await do(sandbox, "determine", market=ticker, yes_value=0)
    await do(sandbox, "settle", market=ticker)

    await do(sandbox, "amend_paid", market=ticker, yes_value="0.5")

    assert sandbox.exchange.markets[ticker].result == "scalar"


async def test_netting_is_turned_off_for_a_subaccount(sandbox: Sandbox) -> None:
    await do(sandbox, "set_netting", subaccount=0, enabled=False)

    assert not sandbox.account.portfolios[0].is_netting
    assert not any(sandbox.account.portfolios[0].collateral_returned.values())


async def test_time_is_moved(sandbox: Sandbox) -> None:
    await do(sandbox, "speed", speed=3)
    before = sandbox.market_clock.now()
    await do(sandbox, "skip", seconds=86_400 * 3)
    await do(sandbox, "archive", age=0)

    assert (sandbox.market_clock.now() - before).days == 3
    assert sandbox.market_clock.speed == 3
    assert sandbox.account.portfolios[0].settlements


async def test_fees_of_an_event_are_its_own_and_the_series_again(sandbox: Sandbox) -> None:
    event = next(iter(sandbox.exchange.events))

    await do(sandbox, "set_fees", event=event, fee_type="quadratic", multiplier="0.25")
    own = sandbox.exchange.fees_of(event)
    await do(sandbox, "set_fees", event=event, fee_type="")

    assert own == ("quadratic", Decimal("0.25"))
    assert sandbox.exchange.events[event].fee_override is None


async def test_value_of_a_spoilt_field_is_any_that_json_knows(sandbox: Sandbox) -> None:
    field = {"path": "/markets", "field": "close_time"}

    await do(sandbox, "spoil", **field)
    await do(sandbox, "spoil", **field, value={"at": [Decimal("0.5"), True]}, row="A", times=3)

    assert [(each.value, each.row, each.times) for each in sandbox.faults.spoils] == [
        (None, "", None),
        ({"at": [0.5, True]}, "A", 3),
    ]


async def test_key_of_another_member_is_revoked(sandbox: Sandbox) -> None:
    told = await perform(sandbox, {"do": "open_member"})

    await do(sandbox, "revoke_key", key=told["api_key_id"])

    assert sandbox.exchange.key(told["api_key_id"]) is None


async def test_own_key_that_is_revoked_has_a_successor_which_is_written_down(
    sandbox: Sandbox,
) -> None:
    before = sandbox.credentials
    written = []
    sandbox.key_keeper = lambda: written.append(sandbox.credentials)

    await do(sandbox, "revoke_key")

    known = sandbox.exchange.key(before.api_key_id)
    assert known is not None
    assert known.user_id == sandbox.account.user_id
    assert known.public_key == sandbox.credentials.loaded().public_key()
    assert known.public_key != before.loaded().public_key()
    assert known.scopes == ("read",)
    assert written == [sandbox.credentials]


async def test_opened_member_has_positions_and_a_key_of_its_own(sandbox: Sandbox) -> None:
    told = await perform(sandbox, {"do": "open_member", "positions": 2, "cash": "500"})

    key = sandbox.exchange.key(told["api_key_id"])
    assert key is not None
    member = sandbox.exchange.accounts[key.user_id]
    assert member is not sandbox.account
    assert [each.quantity for each in member.portfolios[0].positions.values()] == [1, -2]
    assert told["private_key"].startswith("-----BEGIN")


async def test_opened_member_holds_nothing_in_markets_that_are_over(sandbox: Sandbox) -> None:
    over, sold = held(sandbox), sorted(sandbox.account.portfolios[0].positions)[-1]
    await do(sandbox, "determine", market=over, yes_value=0)
    await do(sandbox, "settle", market=over)
    quantity = sandbox.account.portfolios[0].positions[sold].quantity
    side = "no" if quantity > 0 else "yes"
    sandbox.fill(sold, side, abs(quantity), Decimal("0.50"))

    told = await perform(sandbox, {"do": "open_member", "positions": 100})

    key = sandbox.exchange.key(told["api_key_id"])
    assert key is not None
    positions = sandbox.exchange.accounts[key.user_id].portfolios[0].positions
    assert positions
    assert not {over, sold} & positions.keys()
    assert {sandbox.exchange.markets[each].status for each in positions} == {"active"}


async def test_opened_member_may_have_a_balance_in_whole_cents(sandbox: Sandbox) -> None:
    told = await perform(sandbox, {"do": "open_member", "precision": "0.01"})

    key = sandbox.exchange.key(told["api_key_id"])
    assert key is not None
    portfolio = sandbox.exchange.accounts[key.user_id].portfolios[0]
    assert len(portfolio.fills) == 5
    assert portfolio.cash % Decimal("0.01") == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({}, "do is one of"),
        ({"do": ["quote"]}, "do is one of"),
        ({"do": "close"}, "market is missing"),
        ({"do": "close", "market": "NONE"}, "there is no market NONE"),
        ({"do": "close", "market": "held:99"}, "markets are held"),
        ({"do": "close", "market": 7}, "market is a text"),
        ({"do": "drop", "market": "held:1"}, "unknown: market"),
        ({"do": "quote", "market": "held:1", "yes_bid": "x", "yes_ask": "0.5"}, "is a number"),
        ({"do": "quote", "market": "held:1", "yes_bid": True, "yes_ask": "0.5"}, "is a number"),
        ({"do": "quote", "market": "held:1", "yes_bid": "NaN", "yes_ask": "0.5"}, "is a number"),
        ({"do": "quote", "market": "held:1", "yes_bid": "0.6", "yes_ask": "0.5"}, "crosses"),
        ({"do": "trade", "market": "held:1", "yes_price": "0.33333"}, "is not a price"),
        ({"do": "trade", "market": "held:1", "yes_price": "0.5", "count": "0.001"}, "two decimals"),
        ({"do": "trade", "market": "held:1", "yes_price": "0.5", "count": "1e9"}, "10 million"),
        (
            {
                "do": "quote",
                "market": "held:1",
                "yes_bid": "0.3",
                "yes_ask": "0.4",
                "yes_bid_size": "1.005",
            },
            "two decimals",
        ),
        (
            {
                "do": "quote",
                "market": "held:1",
                "yes_bid": "0.33333",
                "yes_ask": "0.4",
                "yes_bid_size": 0,
            },
            "has a bid of 0",
        ),
        (
            {"do": "set_fees", "event": "NONE", "fee_type": "quadratic", "multiplier": "-1"},
            "from 0 to 100",
        ),
        ({"do": "deposit", "dollars": "1e999999"}, "is a number"),
        ({"do": "determine", "market": "held:1", "yes_value": "2"}, "from 0 to 1 dollar"),
        ({"do": "settle", "market": "held:1"}, "is active"),
        ({"do": "deposit", "dollars": "1.005"}, "whole cents"),
        ({"do": "deposit", "dollars": "1", "method": "cash"}, "method is one of"),
        ({"do": "withdraw", "dollars": "10000000"}, "more than the cash"),
        ({"do": "finish_transfer", "transfer": "x", "status": "applied"}, "there is no x"),
        ({"do": "set_fees", "event": "NONE", "fee_type": "quadratic"}, "there is no NONE"),
        ({"do": "move_cash", "to": 1, "dollars": 1}, "from is missing"),
        ({"do": "move_cash", "from": 0, "to": 1, "dollars": "0.001"}, "whole cents"),
        ({"do": "move_cash", "from": 9, "to": 1, "dollars": 1}, "there is no 9"),
        ({"do": "move_instance", "dollars": 0}, "is not 0"),
        ({"do": "pay_untold", "dollars": "0.00001"}, "in steps of"),
        ({"do": "pay_untold", "dollars": -100_000}, "more than the cash"),
        ({"do": "set_netting", "subaccount": 9}, "there is no 9"),
        ({"do": "finish_transfer", "status": "applied"}, "no deposit or withdrawal"),
        ({"do": "amend_paid", "market": "held:1", "yes_value": "1"}, "is active"),
        ({"do": "open_member", "precision": "0.1"}, "precise to one of"),
        *(
            ({"do": "list_event", **DUEL, **wrong}, message)
            for wrong, message in (
                ({"outcomes": "RED"}, "names with prices"),
                ({"outcomes": "RED:NaN"}, "names with prices"),
                ({"outcomes": ":0.5"}, "names with prices"),
                ({"outcomes": "RED:0.5,RED:0.4"}, "a name of its own"),
                ({"outcomes": "RED:0.555"}, "is not a price"),
                ({"outcomes": "RED:0.99"}, "no room for an ask"),
                ({"closes_in": 0}, "closes after now"),
                ({"grid": "fine"}, "grid is one of"),
                ({"fee_type": "flat"}, "fee_type is one of"),
            )
        ),
        ({"do": "set_fees", "event": "NONE", "fee_type": "flat"}, "fee_type is one of"),
        ({"do": "speed", "speed": "0.5"}, "fall behind"),
        ({"do": "skip", "seconds": -1}, "does not go back"),
        ({"do": "skip", "seconds": "1e30"}, "is a number"),
        ({"do": "skip", "seconds": "1e12"}, "too far away|too long"),
        ({"do": "fail_answers", "status": 200}, "from 400 to 599"),
        ({"do": "fail_answers", "body": "xml"}, "body is one of"),
        ({"do": "latency", "seconds": 1, "path": "/markets", "way": "round"}, "way is one of"),
        ({"do": "latency", "seconds": 1, "way": "back"}, "that of a path"),
        ({"do": "spoil", "path": "/markets", "value": 1}, "field is missing"),
        (
            {"do": "spoil", "path": "/markets", "field": "x", "value": float("nan")},
            "value is what JSON can hold",
        ),
        (
            {"do": "spoil", "path": "/markets", "field": "x", "value": Decimal("1e999")},
            "value is what JSON can hold",
        ),
        ({"do": "lag", "account": -1}, "from 0 to 86400"),
        ({"do": "lag", "markets": 86_401}, "from 0 to 86400"),
        ({"do": "mute", "channel": "trade"}, "channel is one of"),
        ({"do": "fail_channel", "channel": "ticker", "code": 3}, "code is 10 or 25"),
        ({"do": "refuse_commands", "channel": "trade"}, "channel is one of"),
        ({"do": "refuse_commands", "channel": "ticker", "code": 99}, "code is one of 1, 2"),
        ({"do": "half_frame", "times": "1.5"}, "whole number"),
        ({"do": "fill", "market": "held:1", "is_taker": "yes"}, "yes_price is missing"),
        ({"do": "revoke_key", "key": "unknown"}, "there is no unknown"),
    ],
    ids=str,
)
async def test_command_that_cannot_be_done_says_why(
    sandbox: Sandbox, command: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadCommand, match=message):
        await perform(sandbox, command)


async def test_step_of_a_scenario_waits_its_time(sandbox: Sandbox) -> None:
    scenario = scenarios.parse(
        "title = 'x'\n[[step]]\ndo = 'deposit'\ndollars = 1\n"
        "[[step]]\nafter = 3600\ndo = 'deposit'\ndollars = 1\n"
    )
    alices = sandbox.account.portfolios[0]
    before = alices.cash

    playing = asyncio.create_task(scenarios.play(sandbox, scenario))
    await until(lambda: alices.cash > before)
    playing.cancel()
    await asyncio.wait([playing])

    assert playing.cancelled()
    assert alices.cash == before + 1


async def test_scenario_in_the_markets_time_does_each_step_at_its_moment(sandbox: Sandbox) -> None:
    scenario = scenarios.parse(
        "title = 'x'\nspeed = 864000\n"
        "[[step]]\nafter = 3600\ndo = 'deposit'\ndollars = 1\n"
        "[[step]]\nafter = 7200\ndo = 'deposit'\ndollars = 2\n"
    )
    begun = sandbox.market_clock.now()

    await scenarios.play(sandbox, scenario)

    first, second = [
        entry.at
        for entry in sandbox.account.portfolios[0].ledger.entries
        if entry.kind == "deposit"
    ]
    assert second - first == timedelta(hours=2)
    # It began when it was begun, give or take what passed until then in the world.
    assert timedelta(hours=1) <= first - begun < timedelta(hours=2)
    assert sandbox.market_clock.speed == 1


async def test_steps_follow_at_once_and_after_a_jump_in_the_markets_time(sandbox: Sandbox) -> None:
    step = "[[step]]\ndo = 'deposit'\ndollars = 1\n"
    jump = "[[step]]\ndo = 'skip'\nseconds = 3600\n"
    scenario = scenarios.parse(f"title = 'x'\nspeed = 86400\n{step}{(jump + step) * 50}")
    begun = sandbox.market_clock.now()

    await scenarios.play(sandbox, scenario)

    entries = sandbox.account.portfolios[0].ledger.entries
    assert sum(entry.kind == "deposit" for entry in entries) == 51
    assert entries[-1].at - begun >= timedelta(hours=50)


async def test_jump_from_elsewhere_is_no_trouble_to_a_scenario(sandbox: Sandbox) -> None:
    scenario = scenarios.parse(
        "title = 'x'\nspeed = 36000\n[[step]]\nafter = 3600\ndo = 'deposit'\ndollars = 1\n"
    )
    begun = sandbox.market_clock.now()

    playing = asyncio.create_task(scenarios.play(sandbox, scenario))
    await asyncio.sleep(0.01)
    sandbox.skip(timedelta(days=1))
    await playing

    [deposited] = [
        entry.at
        for entry in sandbox.account.portfolios[0].ledger.entries
        if entry.kind == "deposit"
    ]
    assert deposited - begun >= timedelta(days=1)


async def test_step_beyond_all_time_is_trouble_in_words(sandbox: Sandbox) -> None:
    scenario = scenarios.parse(
        "title = 'x'\nspeed = 60\n[[step]]\nafter = 1e15\ndo = 'deposit'\ndollars = 1\n"
    )

    with pytest.raises(BadCommand, match="no such moment"):
        await scenarios.play(sandbox, scenario)

    assert sandbox.market_clock.speed == 1
