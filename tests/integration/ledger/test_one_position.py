"""All that is known of one market, and how each figure comes about."""

from decimal import Decimal

import pytest
from django.utils import timezone

from ledger.models import EquityPoint, EventDecision, Note
from positions.models import AccountStream, Market, Position
from tests.formulas import computed_from, shown
from tests.integration.ledger.kept import hole
from tests.integration.ledger.rows import fill, record, record_transfers, settlement, transfer
from tests.integration.positions.conftest import open as open_account
from tests.integration.positions.conftest import write
from tests.told import NOON, at, market, quote, reconcile, row

pytestmark = pytest.mark.django_db

HOME, AWAY = "KXGAME-A-HOME", "KXGAME-A-AWAY"
BOUGHT = [
    fill("t1", "10", "0.40", fee="0.17"),
    fill("t2", "4", "0.55", side="no", fee="0.07", seconds=1),
    fill("t3", "3", "0.45", fee="0.052", seconds=2),
]
# Held after them: 9 YES that cost 4 + 1.35 - 1.6; 4 were sold at 45¢.
HELD = row(HOME, "9", "3.75", "0.2", "0.292", updated=2)


@pytest.fixture
def opened(account):
    return open_account(account)


def show(opened, *rows, **rest) -> None:
    """Have the account hold what these rows of the exchange say."""
    reconcile(opened.tracker, rows, **rest)
    write(opened.writer, opened.tracker)


def explanations(answer) -> dict[str, dict]:
    return {each["field"]: each for each in answer.json()["explanation"]}


def assert_all_compute(answer) -> None:
    for field, each in explanations(answer).items():
        assert computed_from(each) == shown(each), each
        if field in answer.json():
            assert each["value"] == answer.json()[field], field


def test_open_position_with_its_fills_note_and_outcomes(alice, account, opened):
    record(account, BOUGHT)
    show(opened, HELD)
    (position,) = alice.get("positions").json()["positions"]

    answer = alice.get(f"positions/{HOME}")

    assert answer.status_code == 200
    whole = answer.json()
    assert {name: whole[name] for name in position} == position
    assert [each["id"] for each in whole["fills"]] == ["t3", "t2", "t1"]
    assert whole["fills"] == alice.get("fills").json()["fills"]
    assert whole["note"] is None
    assert whole["settlement_matrix"] == {
        "if_yes": {"outcome": None, "payout": "9", "net_pnl": "5.158"},  # 9 + 0.2 - 3.75 - 0.292
        "if_no": {"outcome": None, "payout": "0", "net_pnl": "-3.842"},
        "event": {
            "is_exclusive": None,
            "outcomes": [],
            "best": {"outcome": None, "payout": "9", "net_pnl": "5.158"},
            "worst": {"outcome": None, "payout": "0", "net_pnl": "-3.842"},
        },
    }


def test_every_figure_is_explained_to_the_value_shown(alice, account, opened):
    record(account, BOUGHT)
    show(opened, HELD)

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    by_field = explanations(answer)
    assert by_field.keys() >= {
        *("quantity", "exposure", "realized_pnl", "fees_paid", "average_price", "mark"),
        *("market_value", "unrealized_pnl", "unrealized_pnl_percent", "net_pnl", "day_pnl"),
        *("break_even_price", "payout"),
    }
    [opening, closed] = by_field["exposure"]["with"]
    assert (opening["name"], opening["value"]) == ("opening_cost", "5.35")
    assert (closed["name"], closed["value"]) == ("cost_of_closed", "1.6")
    assert opening["from"] == "3 executions in the ledger"
    assert opening["fills"][0] == {"id": "t3", "at": "2026-11-23T12:00:02Z"}
    [bid] = by_field["mark"]["with"]
    assert (bid["name"], bid["value"], bid["from"]) == ("yes_bid", "0.4", "the exchange's quote")


@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize(
    ("status", "value", "prices"),
    [
        ("active", None, quote("0.40", "0.47", "0.41")),
        ("active", None, quote(None, None, "0.41")),
        ("active", None, quote(None, None, None)),
        ("closed", None, quote("0.40", "0.47", "0.41")),
        ("determined", "0.375", quote()),
    ],
)
def test_every_mark_is_explained(side, status, value, prices, alice, account, opened):
    ticker = f"KXGAME-{side}"
    record(account, [fill("t", ticker=ticker, side=side)])
    signed = "10" if side == "yes" else "-10"
    told = {ticker: market(side, status=status, settlement_value=value, prices=prices)}
    show(opened, row(ticker, signed, "4", "0", "0.17"), markets=told)

    answer = alice.get(f"positions/{ticker}")

    assert_all_compute(answer)
    assert answer.json()["mark"] == explanations(answer)["mark"]["value"]


def test_what_the_ledger_does_not_lead_to_is_the_exchanges(alice, account, opened):
    record(account, BOUGHT[1:])
    show(opened, HELD)

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    [told] = explanations(answer)["quantity"]["with"]
    assert told["from"] == "the exchange's own figure"
    assert told["at"] == "2026-11-23T12:00:02Z"


def test_nothing_of_the_ledger_is_put_in_while_it_is_not_complete(alice, account, opened):
    record(account, BOUGHT[:1])
    hole(account, None, 0)
    record(account, BOUGHT[1:])
    show(opened, HELD)

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    assert explanations(answer)["exposure"]["formula"] == "exposure"


def test_day_is_reckoned_from_what_is_stored(alice, account, opened):
    record(account, BOUGHT)
    show(opened, HELD)
    Position.objects.update(day_pnl=Decimal("0.5"))
    net = Position.objects.get().net_pnl
    AccountStream.objects.update(day_pnl_since=at(-60))
    EquityPoint.objects.create(
        account=account,
        at=at(-60),
        total_value=1,
        cash=1,
        positions_value=0,
        nets={HOME: str(net - Decimal("0.5"))},
    )

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    [_, then] = explanations(answer)["day_pnl"]["with"]
    assert then["from"] == "stored with the account's value then"
    assert then["at"] == "2026-11-23T11:59:00Z"


def test_exclusive_event_has_its_outcomes(alice, account, opened):
    record(account, [fill("t1"), fill("t2", "5", "0.6", ticker=AWAY, side="no", fee="0")])
    show(opened, row(HOME, "10", "4", "0", "0.17"), row(AWAY, "-5", "3"))
    Market.objects.update(event_ticker="KXGAME-A", collateral_return_type="MECNET")

    event = alice.get(f"positions/{AWAY}").json()["settlement_matrix"]["event"]

    assert event["is_exclusive"] is True
    assert {each["outcome"]: each["payout"] for each in event["outcomes"]} == {
        HOME: "15",
        AWAY: "0",
        "none_of_these": "5",
    }
    assert event["best"] == {"outcome": HOME, "payout": "15", "net_pnl": "7.83"}
    assert event["worst"] == {"outcome": AWAY, "payout": "0", "net_pnl": "-7.17"}


def test_winner_that_is_paid_leaves_none_of_the_others(alice, account, opened):
    lately = (timezone.now() - NOON).total_seconds() - 60
    record(
        account,
        [
            fill("t1", seconds=lately),
            fill("t2", "5", "0.6", ticker=AWAY, side="no", fee="0", seconds=lately),
            settlement(seconds=lately + 1),
        ],
    )
    show(opened, row(AWAY, "-5", "3"))
    Market.objects.update(event_ticker="KXGAME-A", collateral_return_type="MECNET")

    event = alice.get(f"positions/{AWAY}").json()["settlement_matrix"]["event"]

    assert [each["outcome"] for each in event["outcomes"]] == ["none_of_these"]


def test_winner_that_was_never_held_leaves_none_of_the_others(alice, account, opened):
    record(account, [fill("t2", "5", "0.6", ticker=AWAY, side="no", fee="0")])
    show(opened, row(AWAY, "-5", "3"))
    Market.objects.update(event_ticker="KXGAME-A", collateral_return_type="MECNET")
    EventDecision.objects.create(
        account=account, event_ticker="KXGAME-A", ticker="KXGAME-A-DRAW", is_yes=True, at=NOON
    )

    event = alice.get(f"positions/{AWAY}").json()["settlement_matrix"]["event"]

    assert [each["outcome"] for each in event["outcomes"]] == ["none_of_these"]


def test_closed_position_is_told_while_its_row_or_its_book_is_known(alice, account, opened):
    record(account, [*BOUGHT, fill("t4", "9", "0.5", side="no", fee="0.1", seconds=9)])
    show(opened, HELD)
    show(opened, requested_at=200.0)
    assert Position.objects.get().quantity == 0

    with_row = alice.get(f"positions/{HOME}")
    Position.objects.all().delete()
    with_book = alice.get(f"positions/{HOME}")

    for answer in (with_row, with_book):
        assert answer.status_code == 200
        assert_all_compute(answer)
        told = answer.json()
        assert (told["side"], told["quantity"], told["payout"]) == (None, "0", "0")
        # 0.2 of the first sale, and 9 * 0.5 - 3.75 of the second.
        assert (told["realized_pnl"], told["fees_paid"]) == ("0.95", "0.392")
        assert told["net_pnl"] == "0.558"
        assert told["closed_reason"] == "closed"
        assert len(told["fills"]) == 4
        assert told["settlement_matrix"]["event"]["best"] is None


def test_closed_position_has_its_last_fee_before_the_ledger_has_it(alice, account, opened):
    show(opened, HELD)
    show(opened, row(HOME, "0", "0", "0.95", "0.392"), requested_at=200.0)

    told = alice.get(f"positions/{HOME}").json()

    figures = [told[name] for name in ("realized_pnl", "fees_paid", "net_pnl")]
    assert figures == ["0.95", "0.392", "0.558"]


def test_of_what_ended_untold_no_figure_is_known(alice, account):
    # Its sale could not be read.
    record(account, BOUGHT)

    told = alice.get(f"positions/{HOME}").json()

    names = ("realized_pnl", "fees_paid", "net_pnl", "day_pnl")
    assert {told[name] for name in names} == {None}


@pytest.mark.parametrize(
    ("nets", "day_pnl"), [({}, "0.558"), ({HOME: "0.1"}, "0.458"), ({HOME: None}, None)]
)
def test_closed_position_has_what_it_brought_today(alice, account, opened, nets, day_pnl):
    record(account, [*BOUGHT, fill("t4", "9", "0.5", side="no", fee="0.1", seconds=9)])
    show(opened, HELD)
    show(opened, requested_at=200.0)
    figures = {"total_value": 1, "cash": 1, "positions_value": 0}
    EquityPoint.objects.create(account=account, at=at(-60), nets=nets, **figures)
    AccountStream.objects.update(day_pnl_since=at(-60))

    answer = alice.get(f"positions/{HOME}")

    assert answer.json()["day_pnl"] == day_pnl
    assert explanations(answer)["day_pnl"]["value"] == day_pnl
    assert_all_compute(answer)


def test_settled_position_is_told_from_its_book(alice, account):
    record(account, [fill("t1"), settlement()])

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    told = answer.json()
    assert (told["closed_reason"], told["realized_pnl"]) == ("settled", "6")
    assert told["account_id"] == account.pk


def test_newest_hundred_fills(alice, account, opened):
    record(account, [fill(f"t{number:03}", "1", seconds=number) for number in range(103)])
    show(opened, row(HOME, "103", "41.2", "0", "17.51"))

    answer = alice.get(f"positions/{HOME}")

    assert_all_compute(answer)
    ids = [each["id"] for each in answer.json()["fills"]]
    assert ids == [f"t{number:03}" for number in range(102, 2, -1)]
    [yes, *_] = explanations(answer)["quantity"]["with"]
    assert yes["from"] == "103 executions in the ledger, the newest 100 of them here"


@pytest.mark.parametrize("ticker", ["KXNONE", "%00", "KXGAME-A-HOME%00", "=", "%F0%9F%92%A9"])
def test_market_that_is_not_known(ticker, alice, account):
    record(account, BOUGHT)

    assert alice.get(f"positions/{ticker}").status_code == 404
    assert put_note(alice, ticker, "x").status_code == 404


def test_market_of_another_account_is_not_known(alice, charlie, account, second):
    record(second, BOUGHT)

    assert alice.get(f"positions/{HOME}").status_code == 404
    assert alice.get(f"positions/{HOME}?account={second.pk}").status_code == 200
    assert charlie.get(f"positions/{HOME}?account={second.pk}").status_code == 404
    assert charlie.get(f"positions/{HOME}").status_code == 404
    assert put_note(charlie, f"{HOME}", "x", f"?account={second.pk}").status_code == 404
    assert not Note.objects.exists()


def put_note(visitor, ticker: str, text: object, query: str = ""):
    return visitor.put(f"positions/{ticker}/note{query}", {"text": text})


def test_note_is_written_over_and_deleted(alice, account):
    record(account, BOUGHT)

    first = put_note(alice, HOME, "Buy more\nbelow 35¢ — 決")
    assert first.status_code == 200
    assert first.json()["text"] == "Buy more\nbelow 35¢ — 決"
    put_note(alice, HOME, "Sell")
    assert alice.get(f"positions/{HOME}").json()["note"] == "Sell"

    gone = put_note(alice, HOME, "")

    assert gone.json() == {"ticker": HOME, "text": "", "updated_at": None}
    assert alice.get(f"positions/{HOME}").json()["note"] is None


@pytest.mark.parametrize("text", ["x" * 5_001, "a\0b", "\ud800", None, 5])
def test_what_is_no_note_is_refused(text, alice, account):
    record(account, BOUGHT)

    assert put_note(alice, HOME, text).status_code == 422
    assert not Note.objects.exists()


def test_longest_note(alice, account):
    record(account, BOUGHT)

    assert put_note(alice, HOME, "決" * 5_000).status_code == 200


def test_sums_of_the_portfolio_are_explained(alice, account, opened):
    record(account, [fill("t1"), fill("t2", "5", "0.6", ticker=AWAY, side="no", fee="0")])
    told = {
        HOME: market("A"),
        AWAY: market("A", prices=quote(None, None, "0.30")),
        "M": market("M", status="closed", prices=quote(None, None, None)),
    }
    show(
        opened,
        row(HOME, "10", "4", "0", "0.17"),
        row(AWAY, "-5", "3"),
        row("M", "2", "1"),
        markets=told,
    )
    AccountStream.objects.update(
        cash=Decimal("100.25"),
        total_value=Decimal("107.75"),
        collateral_returned=None,
        day_pnl=Decimal("2.5"),
        day_pnl_since=at(-60),
    )
    EquityPoint.objects.create(
        account=account,
        at=at(-60),
        total_value=Decimal(95),
        cash=0,
        positions_value=0,
        entered=Decimal("0.25"),
    )
    record_transfers(account, [transfer("d", "10"), transfer("before", "7", seconds=-61)])

    answer = alice.get("portfolio/explanation")

    assert answer.status_code == 200
    assert answer.json()["account_id"] == account.pk
    portfolio = alice.get("portfolio").json()
    by_field = explanations(answer)
    for field, each in by_field.items():
        assert computed_from(each) == shown(each), each
        assert each["value"] == portfolio[field], field
    tickers = [each["ticker"] for each in by_field["positions_value"]["with"]]
    assert sorted(tickers) == [AWAY, HOME]
    assert [each["ticker"] for each in by_field["estimated_value"]["with"]] == [AWAY]
    given = {each["name"]: each["value"] for each in by_field["day_pnl"]["with"]}
    assert given == {
        "total_value": "107.75",
        "total_value_then": "95",
        "entered": "0.25",
        "net_transfers": "10",
    }
    assert by_field["day_pnl"]["with"][3]["from"] == "transfers in the ledger since"


def test_collateral_is_explained_by_event(alice, account, opened):
    show(opened, row(HOME, "-10", "4"), row(AWAY, "-5", "3"))
    Market.objects.update(event_ticker="KXGAME-A", collateral_return_type="MECNET")
    value = AccountStream.objects.get().positions_value
    AccountStream.objects.update(cash=100, collateral_returned=5, total_value=Decimal(95) + value)

    by_field = explanations(alice.get("portfolio/explanation"))

    assert by_field["collateral_returned"]["formula"] == "sum(returned)"
    assert by_field["total_value"]["formula"].endswith("- collateral_returned")
    for each in by_field.values():
        assert computed_from(each) == shown(each), each


def test_portfolio_before_it_was_read_is_unknown_throughout(alice, account):
    by_field = explanations(alice.get("portfolio/explanation"))

    assert {each["value"] for each in by_field.values()} == {None}
    for each in by_field.values():
        assert computed_from(each) is None


def test_nobody_has_explained_what_is_not_theirs(alice, charlie, account):
    assert charlie.get(f"portfolio/explanation?account={account.pk}").status_code == 404
    assert alice.get("portfolio/explanation?account=all").status_code == 422
