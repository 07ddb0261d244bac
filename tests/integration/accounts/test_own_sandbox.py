"""The sandbox as a way back in, whatever was done to its key."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from accounts.models import Account, Credential
from tests.integration.accounts.conftest import error_of
from tests.integration.accounts.exchange import Exchange, Key
from tests.integration.visitors import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(settings, exchange: Exchange, tmp_path: Path) -> Path:
    """The file with the sandbox's key."""
    settings.SANDBOX_DIR = tmp_path
    here = exchange.environment("sandbox")
    settings.KALSHI_ENVIRONMENTS = settings.KALSHI_ENVIRONMENTS | {"sandbox": here}
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(vars(exchange.issue_key("sandbox"))))
    return path


def click(visitor: Visitor):
    """“Open the sandbox”."""
    return visitor.post("authenticate", {"environment": "sandbox"}, REMOTE_ADDR="127.0.0.1")


def message_of(response) -> str:
    return response.json()["error"]["message"]


def test_click_finds_the_account_again_when_its_key_was_deleted_in_the_settings(alice, written):
    first = click(alice).json()
    alice.delete(f"credentials/{first['credential']['id']}")

    again = click(Visitor())

    assert again.status_code == 200
    assert again.json()["account"]["id"] == first["account"]["id"]
    assert Credential.objects.get().status == "usable"


def test_click_opens_the_sandbox_when_its_account_was_forgotten(alice, written):
    account_id = click(alice).json()["account"]["id"]
    alice.delete(f"accounts/{account_id}")

    assert click(Visitor()).status_code == 200


def test_click_finds_the_account_again_with_another_key_of_the_same_id(alice, exchange, written):
    first = click(alice).json()
    api_key_id = json.loads(written.read_text())["api_key_id"]
    successor = exchange.issue_key("sandbox")
    known = exchange.keys.pop(successor.api_key_id)
    exchange.keys[api_key_id] = replace(known, api_key_id=api_key_id)
    written.write_text(json.dumps(vars(Key(api_key_id, successor.private_key))))

    again = click(Visitor())

    assert again.json()["account"]["id"] == first["account"]["id"]
    assert Credential.objects.get().private_key.reveal() == successor.private_key


def test_click_opens_its_own_account_after_another_member_was_in(alice, exchange, written):
    other = alice.sign_in(exchange.issue_key("another"), environment="sandbox").json()

    own = click(Visitor())

    assert own.status_code == 200
    assert own.json()["account"]["id"] != other["account"]["id"]
    assert Account.objects.count() == 2


def test_key_that_the_sandbox_refuses_is_told_with_what_to_do_however_often(
    alice, exchange, written
):
    exchange.keys.clear()

    answers = [click(alice) for _ in range(12)]

    assert {error_of(each) for each in answers} == {(401, "sandbox_refuses")}
    assert "start the sandbox anew" in message_of(answers[-1])


def test_click_opens_the_sandbox_after_ten_wrong_keys(alice, exchange, written):
    for _ in range(10):
        alice.sign_in(Key("unknown", exchange.issue_key("alice").private_key))
    assert alice.sign_in(exchange.issue_key("alice")).status_code == 429

    assert click(alice).status_code == 200


def test_key_of_somebody_is_counted_in_the_sandbox_too(alice, exchange, written):
    wrong = Key("unknown", exchange.issue_key("alice").private_key)

    answers = [alice.sign_in(wrong, environment="sandbox") for _ in range(11)]

    assert [each.status_code for each in answers] == [401] * 10 + [429]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"api_key_id": "a"}', '{"private_key": 1}'])
def test_file_without_a_key_is_told_with_how_to_start_the_sandbox(alice, written, text):
    written.write_text(text)

    response = click(alice)

    assert error_of(response) == (503, "exchange_unavailable")
    assert "make demo" in message_of(response)


def test_sandbox_that_is_gone_is_told_with_how_to_start_it(alice, exchange, written):
    exchange.close()

    response = click(alice)

    assert error_of(response) == (503, "exchange_unavailable")
    assert "control page" in message_of(response)
    assert "make demo" in message_of(response)


def test_maintenance_of_the_sandbox_is_told_as_its_own(alice, exchange, written):
    exchange.active = False

    response = click(alice)

    assert error_of(response) == (503, "maintenance")
    assert "start the sandbox anew" in message_of(response)


def test_clock_of_the_sandbox_is_told_with_where_to_set_it_right(alice, exchange, written):
    exchange.clock_is_off = True

    response = click(alice)

    assert error_of(response) == (503, "clock_skew")
    assert "control page" in message_of(response)
