from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from ledger import following, models, proving
from ledger.periods import Period
from tests.integration.ledger.kept import at, balance, buy, hole, settle, transfer
from tests.integration.visitors import key_session, make_account, person_session, visitor_with

pytestmark = pytest.mark.django_db


def unexplained(account) -> list[tuple]:
    rows = models.Unexplained.objects.filter(account=account).order_by("until")
    return list(rows.values_list("since", "until", "amount"))


def tell_a_story(account) -> None:
    """$100; ten YES bought at 40¢, six of them sold at 55¢, four paid; a deposit; 30¢ untold."""
    balance(account, 0, "100")
    buy(account, 10, count="10", price="0.40", fee="0.17")
    # 100 - 4 - 0.17
    balance(account, 20, "95.83")
    # Six YES sold at 55¢: NO bought at 45¢, which nets to $6. 95.83 - 2.7 + 6 - 0.11
    buy(account, 30, count="6", price="0.45", side="no", fee="0.11")
    balance(account, 40, "99.02")
    settle(account, 50, quantity="4", exposure="1.6", revenue="4")
    transfer(account, 55, "50")
    transfer(account, 56, "-20", "withdrawal")
    transfer(account, 57, "-1.5", "subaccount")
    transfer(account, 58, "7", "withdrawal", status="failed")
    # 99.02 + 4 + 50 - 20 - 1.5 + 0.3
    balance(account, 60, "131.82")


def test_the_proof_of_a_story_told_by_hand(alice, account):
    tell_a_story(account)

    proof = alice.get("proof").json()

    assert proof["opening"] == "100"
    assert proof["closing"] == "131.82"
    assert proof["residual"] == "0.3"
    assert proof["from"] == "2025-06-02T04:00:00Z"
    assert proof["to"] == "2025-06-02T04:01:00Z"
    assert {step["kind"]: (step["count"], step["amount"]) for step in proof["steps"]} == {
        "fills": (2, "-6.7"),
        "fees": (2, "-0.28"),
        "netted_pairs": (1, "6"),
        "settlements": (1, "4"),
        "deposits": (1, "50"),
        "withdrawals": (1, "-20"),
        "transfers": (1, "-1.5"),
        "named": (0, "0"),
        "collateral": (0, "0"),
    }
    assert proof["unexplained"] == [
        {
            "account_id": account.pk,
            "from": "2025-06-02T04:00:40Z",
            "to": "2025-06-02T04:01:00Z",
            "amount": "0.3",
        }
    ]
    assert proof["complete_from"] == "2025-06-02T04:00:10Z"
    assert proof["implied_opening"] == "100"


def test_cash_that_came_back_early_and_was_named_are_steps(alice, account):
    balance(account, 0, "100")
    models.CollateralFlow.objects.create(
        account=account, event_ticker="E", at=at(5), amount=Decimal(3)
    )
    transfer(account, 6, "0.25", "named")
    balance(account, 10, "103.25")

    proof = alice.get("proof").json()

    amounts = {step["kind"]: step["amount"] for step in proof["steps"]}
    assert (amounts["collateral"], amounts["named"], proof["residual"]) == ("3", "0.25", "0")


def test_before_any_balance_nothing_is_said(alice, account):
    proof = alice.get("proof").json()

    assert (proof["residual"], proof["opening"], proof["from"]) == (None, None, None)
    assert (proof["steps"], proof["unexplained"], proof["complete_from"]) == ([], [], None)


def test_a_balance_of_an_unknown_time_is_none_to_prove_with(alice, account):
    balance(account, 0, "100")
    models.Balance.objects.create(account=account, at=at(5), known_until=at(5), amount=Decimal(7))

    assert alice.get("proof").json()["closing"] == "100"


def test_an_open_hole_says_how_far_back_the_records_are_complete(alice, account):
    tell_a_story(account)
    hole(account, None, 5, reason="can't be read")
    hole(account, 30, 45, reason="can't be read")
    hole(account, 50, 59, is_filled=True)

    proof = alice.get("proof").json()

    assert proof["complete_from"] == "2025-06-02T04:00:45Z"
    assert proof["implied_opening"] is None
    assert proof["residual"] == "0.3"


def test_while_older_records_are_being_read_nothing_is_said_and_nothing_kept(alice, account):
    hole(account, None, 5)
    tell_a_story(account)
    proving.note(account.pk, at(61))

    proof = alice.get("proof").json()

    assert (proof["residual"], proof["steps"]) == (None, [])
    assert proof["complete_from"] == "2025-06-02T04:00:05Z"
    assert unexplained(account) == []
    with pytest.raises(SystemExit):
        call_command("prove_cash")


def test_nothing_is_said_while_it_is_open_what_a_record_closed(account, monkeypatch):
    monkeypatch.setattr(following, "AT_ONCE", 0)
    balance(account, 0, "100")
    buy(account, 20, side="no")
    buy(account, 10)
    balance(account, 30, "100")
    assert proving.prove_account(account.pk) is None

    for market in following.late_markets(account.pk):
        following.follow_market(account.pk, market)

    assert proving.prove_account(account.pk) is not None


def test_two_accounts_are_added_up_and_their_residuals_stay_apart(account):
    other = make_account(account.owner)
    elsewhere = make_account(account.owner, environment="production")
    for of, closing in ((account, "101"), (other, "99"), (elsewhere, "5000")):
        balance(of, 0, "100")
        balance(of, 60, closing)
    person = visitor_with(person_session(account.owner)[1])

    proof = person.get("proof?account=all&environment=demo").json()

    assert (proof["account_id"], proof["opening"], proof["closing"]) == (None, "200", "200")
    assert [(each["account_id"], each["amount"]) for each in proof["unexplained"]] == [
        (account.pk, "1"),
        (other.pk, "-1"),
    ]
    assert person.get("proof?account=all").status_code == 422
    assert person.get("proof?account=all&environment=sandbox").status_code == 404


def test_what_the_exchange_shows_otherwise_is_named(alice, account, capsys):
    buy(account, 10)
    balance(account, 20, "96")
    models.RecordedPosition.objects.update(disagreement="quantity 10 here, 9 there")

    [told] = alice.get("proof").json()["disagreements"]
    call_command("prove_cash")

    assert told == {
        "account_id": account.pk,
        "ticker": "E-M",
        "text": "quantity 10 here, 9 there",
    }
    assert "shows E-M otherwise: quantity 10 here, 9 there" in capsys.readouterr().out


def test_a_sum_is_unknown_while_one_of_it_is(account):
    balance(account, 0, "100")
    make_account(account.owner)
    person = visitor_with(person_session(account.owner)[1])

    proof = person.get("proof?account=all").json()

    assert (proof["opening"], proof["residual"], proof["steps"]) == (None, None, [])


def test_accounts_of_others_are_not_there(account):
    stranger = visitor_with(key_session(make_account())[1])

    assert stranger.get(f"proof?account={account.pk}").status_code == 404


def test_what_is_unexplained_is_kept_with_its_interval(account):
    tell_a_story(account)

    proving.note(account.pk, at(61))
    proving.note(account.pk, at(62))

    assert unexplained(account) == [(at(40), at(60), Decimal("0.3"))]
    assert models.Unexplained.objects.get().noticed_at == at(61)


def test_a_record_that_comes_late_explains_it_and_the_row_stays(account):
    balance(account, 0, "100")
    balance(account, 20, "96")
    proving.note(account.pk, at(21))

    buy(account, 10)
    proving.note(account.pk, at(30), Period(at(10), at(11)))

    assert unexplained(account) == [(at(0), at(20), Decimal(0))]


def test_a_late_record_within_a_balances_time_joins_two_intervals(account):
    balance(account, 0, "100")
    balance(account, 20, "96")
    balance(account, 40, "96")
    proving.note(account.pk, at(41))
    assert unexplained(account) == [(at(0), at(20), Decimal(-4))]

    buy(account, 19.5, count="11")
    proving.note(account.pk, at(50))

    assert unexplained(account) == [
        (at(0), at(20), Decimal(0)),
        (at(0), at(40), Decimal("0.4")),
    ]


def test_only_what_late_records_touched_is_looked_at_again(account):
    for hour in range(200):
        balance(account, hour * 3600, "100")
    buy(account, 1800)
    proving.note(account.pk, at(0))
    assert unexplained(account) == []

    proving.note(account.pk, at(0), Period(at(1800), at(1801)))

    assert unexplained(account) == [(at(0), at(3600), Decimal(4))]


def test_records_older_than_all_balances_touch_nothing(account, django_assert_num_queries):
    balance(account, 3600, "100")
    balance(account, 7200, "100")
    buy(account, 60)

    # The holes, the newest balances, the oldest, the flows, and what is kept, in a savepoint, for
    # which the account is kept.
    with django_assert_num_queries(8):
        proving.note(account.pk, at(0), Period(at(60), at(61)))

    assert unexplained(account) == []


def test_fills_within_every_newest_balances_time_do_not_hide_an_older_interval(account):
    balance(account, 0, "100")
    balance(account, 10, "99")
    for number in range(60):
        balance(account, 20 + number, "99")
        buy(account, 19.5 + number, ticker=f"E-{number}")

    proving.note(account.pk, at(100))

    assert unexplained(account) == [(at(0), at(10), Decimal(-1))]


def test_of_very_many_balances_every_unexplained_interval_is_told(account, monkeypatch):
    monkeypatch.setattr(proving, "_MANY", 100)
    untold = {300: 5, 301: -5, 444: 1}
    amount = 100
    for number in range(600):
        amount += untold.get(number, 0)
        balance(account, number * 60, str(amount))
    proving.keep(account.pk, at(0))

    quick, whole = proving.prove_account(account.pk), proving.keep(account.pk, at(0))

    assert len(quick.intervals) < len(whole.intervals) == 599
    assert quick.unexplained == whole.unexplained
    assert [each.amount for each in quick.unexplained] == [5, -5, 1]
    assert (quick.opening, quick.closing, quick.steps) == (
        whole.opening,
        whole.closing,
        whole.steps,
    )


def test_the_command_shows_the_proof_as_a_table(account, capsys):
    tell_a_story(account)

    with pytest.raises(SystemExit) as ended:
        call_command("prove_cash")

    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "netted pairs (1)                6" in said
    assert "UNEXPLAINED 0.3 between 2025-06-02T04:00:40Z and 2025-06-02T04:01:00Z" in said
    assert unexplained(account) == [(at(40), at(60), Decimal("0.3"))]


def test_the_command_ends_well_where_all_is_explained(account, capsys):
    balance(account, 0, "100")
    buy(account, 10)
    balance(account, 20, "96")
    make_account()

    call_command("prove_cash")

    assert "nothing to prove yet" in capsys.readouterr().out


def test_intervals_that_would_cancel_out_fail_the_command(account):
    balance(account, 0, "100")
    balance(account, 20, "101")
    balance(account, 40, "100")

    with pytest.raises(SystemExit):
        call_command("prove_cash", "--account", str(account.pk))


def test_the_command_names_an_account_that_is_not_there(account):
    with pytest.raises(CommandError, match="no account 12345"):
        call_command("prove_cash", "--account", "12345")
