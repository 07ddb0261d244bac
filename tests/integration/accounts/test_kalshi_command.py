import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Credential
from tests.integration.accounts.conftest import make_credential

pytestmark = pytest.mark.django_db


def asked(*arguments):
    out = StringIO()
    call_command("kalshi", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def key_file(tmp_path):
    def write(key):
        path = tmp_path / "key.pem"
        path.write_text(key.private_key)
        return [
            "--environment",
            "demo",
            "--key-id",
            key.api_key_id,
            "--private-key-file",
            str(path),
        ]

    return write


def test_only_stored_key_is_used(exchange, alice):
    key = exchange.issue_key("alice")
    alice.sign_in(key)

    told = asked("api-keys")

    assert key.api_key_id in told
    assert told.startswith("api_key_id")


def test_stored_key_asks_for_its_own_subaccount(exchange, alice):
    alice.sign_in(exchange.issue_key("alice", subaccount=7))

    assert asked("positions") == "none\n"


def test_key_is_named_among_several(exchange, alice, charlie):
    key = exchange.issue_key("alice")
    alice.sign_in(key)
    charlie.sign_in(exchange.issue_key("charlie"))
    stored = Credential.objects.get(api_key_id=key.api_key_id)

    assert key.api_key_id in asked("api-keys", "--credential", str(stored.pk))


def test_several_keys_are_listed_when_none_is_named(exchange, alice, charlie):
    alice.sign_in(exchange.issue_key("alice"))
    charlie.sign_in(exchange.issue_key("charlie"))

    with pytest.raises(CommandError) as refusal:
        asked("positions")

    assert [f"{held.pk} ({held})" in str(refusal.value) for held in Credential.objects.all()] == [
        True,
        True,
    ]


def test_without_any_key_the_way_to_name_one_is_told():
    with pytest.raises(CommandError, match="--private-key-file"):
        asked("status")


def test_key_from_a_file_is_used_and_not_stored(exchange, key_file):
    key = exchange.issue_key("alice")

    told = asked("api-keys", "--json", *key_file(key))

    assert [record["api_key_id"] for record in json.loads(told)] == [key.api_key_id]
    assert not Credential.objects.exists()


def test_subaccount_may_be_named(exchange, key_file):
    key = exchange.issue_key("alice", subaccount=7)

    assert asked("positions", "--subaccount", "7", *key_file(key)) == "none\n"


def test_refusal_is_told_in_words(exchange, key_file):
    key = exchange.issue_key("alice", may_read=False)

    with pytest.raises(CommandError, match="does not allow this API key"):
        asked("positions", *key_file(key))


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["status", "--key-id", "x"], "go together"),
        (["status", "--key-id", "x", "--private-key-file", "/nowhere"], "cannot be read"),
        (["status", "--credential", "99"], "was deleted"),
        (["markets"], "Usage: kalshi markets MARKET…"),
        (["event", "KXA", "KXB"], "Usage: kalshi event EVENT"),
        (["nonsense"], "invalid choice"),
        (["fills", "--since", "yesterday"], "not a time"),
    ],
)
def test_mistake_is_explained(arguments, advice):
    with pytest.raises(CommandError, match=advice):
        asked(*arguments)


def test_file_without_a_key_is_explained(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no key")

    with pytest.raises(CommandError, match="Paste the whole file"):
        asked(
            *["status", "--environment", "demo"],
            *["--key-id", "x", "--private-key-file", str(path)],
        )


def test_unknown_environment_is_explained(key_file, exchange):
    key = exchange.issue_key("alice")

    with pytest.raises(CommandError):
        asked("status", *key_file(key), "--environment", "nowhere")


def test_key_that_cannot_be_opened_is_explained():
    credential = make_credential()
    Credential.objects.filter(pk=credential.pk).update(environment="sandbox")

    with pytest.raises(CommandError):
        asked("status", "--credential", str(credential.pk))


def test_row_that_cannot_be_read_is_named_beside_the_others(exchange, key_file, capsys):
    row = {
        "ticker": "KXGOOD",
        "position_fp": "3.00",
        "market_exposure_dollars": "1.500000",
        "realized_pnl_dollars": "0.000000",
        "fees_paid_dollars": "0.010000",
    }
    rows = [row, row | {"ticker": "KXODD", "position_fp": "many"}]
    exchange.instead["/portfolio/positions"] = (200, {"market_positions": rows, "cursor": ""})

    call_command("kalshi", "positions", *key_file(exchange.issue_key("alice")))

    told = capsys.readouterr()
    assert "KXGOOD" in told.out
    assert "KXODD" not in told.out
    assert "Left out: position KXODD: position: position_fp is not contracts" in told.err
