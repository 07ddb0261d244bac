import threading
import time
from contextlib import closing

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import InternalError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import credentials, deactivating, forgetting, setting_aside
from accounts.encryption import Secret
from accounts.errors import CredentialUnusable
from accounts.models import Account, AccountKey, Credential, Session
from kalshi.signing import InvalidKey
from tests.integration.accounts.conftest import make_credential
from tests.integration.visitors import key_session, make_account
from tests.unit.kalshi.conftest import PAYLOADS
from tests.unit.kalshi.der import as_pem, integers

pytestmark = pytest.mark.django_db


def test_revealed_credential_signs_for_its_account(alice, exchange):
    key = exchange.issue_key("alice", subaccount=3)
    credential_id = alice.sign_in(key).json()["credential"]["id"]

    revealed = credentials.reveal(credential_id)

    assert revealed.environment == exchange.environment("demo")
    assert revealed.api_key_id == key.api_key_id
    assert revealed.subaccount == 3
    exchange.keys[key.api_key_id].public_key.verify(revealed.key.sign(b"message"), b"message")
    assert key.private_key not in repr(revealed)


def test_key_that_is_locked_to_a_subaccount_and_may_list_no_keys_is_of_that(alice, exchange):
    key = exchange.issue_key("alice", subaccount=3, may_list=False)

    credential_id = alice.sign_in(key, accept_trading_key=True).json()["credential"]["id"]

    assert credentials.reveal(credential_id).subaccount == 3


def test_key_that_is_locked_to_a_subaccount_and_whose_own_record_is_odd_is_of_that(alice, exchange):
    key = exchange.issue_key("alice", subaccount=3)
    own = {"api_key_id": key.api_key_id, "scopes": ["read"], "subaccount": "three"}
    exchange.instead["/api_keys"] = (200, {"api_keys": [own]})

    credential_id = alice.sign_in(key, accept_trading_key=True).json()["credential"]["id"]

    assert credentials.reveal(credential_id).subaccount == 3


def test_deleted_credential_is_unusable():
    with pytest.raises(CredentialUnusable, match="deleted"):
        credentials.reveal(1)


def test_credential_of_an_environment_no_longer_configured_is_unusable():
    credential = make_credential(make_account(environment="sandbox"))

    with pytest.raises(CredentialUnusable, match="environment"):
        credentials.reveal(credential.pk)


def test_credential_whose_encryption_key_is_lost_is_unusable_and_the_others_are_not(
    alice, exchange, settings
):
    settings.ENCRYPTION_SECRET_KEY = [Fernet.generate_key().decode()]
    lost = alice.sign_in(exchange.issue_key("alice")).json()["credential"]["id"]
    settings.ENCRYPTION_SECRET_KEY = [Fernet.generate_key().decode()]
    good = alice.sign_in(exchange.issue_key("charlie")).json()["credential"]["id"]

    with pytest.raises(CredentialUnusable, match="ENCRYPTION_SECRET_KEY"):
        credentials.reveal(lost)

    assert credentials.reveal(good)


def sealed(content):
    """What the column holds when these bytes were encrypted with the key in use."""
    return Secret(Fernet(settings.ENCRYPTION_SECRET_KEY[0]).encrypt(content))


def key_file(name):
    return (PAYLOADS / "keys" / f"{name}.pem").read_bytes()


HUGE_RSA = as_pem(integers(0, 2**12_287 + 1, *[3] * 7)).encode()


@pytest.mark.parametrize(
    "stored",
    [
        lambda: Secret(b""),
        lambda: Secret(b"\x00\xff\x80"),
        lambda: Secret(b"gAAAAA"),
        lambda: sealed(b""),
        lambda: sealed(b"garbage"),
        lambda: sealed(b"\xff\xfe\x00"),
        lambda: sealed(key_file("ec")),
        lambda: sealed(key_file("rsa_public")),
        lambda: sealed(HUGE_RSA),
    ],
    ids=[
        "nothing",
        "bytes",
        "half a token",
        "a token of nothing",
        "a token of garbage",
        "a token of no text",
        "an EC key",
        "a public key",
        "a huge RSA key",
    ],
)
def test_stored_text_that_is_no_key_is_unusable_and_never_quoted(stored):
    credential = make_credential(private_key=stored())

    with pytest.raises(CredentialUnusable) as caught:
        credentials.reveal(credential.pk)

    assert caught.value.reason == "credential_unreadable"
    assert "garbage" not in str(caught.value)
    assert not isinstance(caught.value.__cause__, UnicodeDecodeError | InvalidKey)


@pytest.mark.parametrize(
    "api_key_id",
    ["", "two words", "line\nbreak", "carriage\r\nreturn", "naïve", "tab\t", "\x7f"],
)
def test_stored_key_id_that_is_none_is_unusable(api_key_id):
    good = sealed(key_file("ed25519"))
    credential = make_credential(api_key_id=api_key_id, private_key=good)

    with pytest.raises(CredentialUnusable, match="API key ID is none") as caught:
        credentials.reveal(credential.pk)

    assert caught.value.reason == "credential_unreadable"


@given(content=st.binary(max_size=400), is_sealed=st.booleans())
@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_are_stored_are_unusable(content, is_sealed):
    credential = make_credential()
    private_key = sealed(content) if is_sealed else Secret(content)
    Credential.objects.filter(pk=credential.pk).update(private_key=private_key)

    with pytest.raises(CredentialUnusable) as caught:
        credentials.reveal(credential.pk)

    Credential.objects.all().delete()
    assert caught.value.reason == "credential_unreadable"


def test_credentials_of_an_account_are_listed_newest_first():
    account = make_account()
    first = make_credential(account, api_key_id="first")
    second = make_credential(account, api_key_id="second")
    make_credential(make_account(), api_key_id="another account's")

    held = credentials.held_by(account.pk)

    assert held == credentials.HeldCredentials(usable=(second.pk, first.pk), refused=())


def test_refused_credential_is_listed_as_such_until_it_is_accepted_again():
    credential = make_credential()

    credentials.mark_refused(credential.pk, "unknown key")
    while_refused = credentials.held_by(credential.account_id)
    credentials.mark_checked(credential.pk)
    afterwards = credentials.held_by(credential.account_id)

    assert while_refused == credentials.HeldCredentials(usable=(), refused=(credential.pk,))
    assert afterwards == credentials.HeldCredentials(usable=(credential.pk,), refused=())


def test_keys_rest_while_their_owner_is_deactivated():
    account = make_account()
    make_credential(account)
    other = make_credential(make_account(), api_key_id="another account's")

    deactivating.deactivate([account.owner_id])
    while_deactivated = credentials.held_by(account.pk)
    of_another = credentials.held_by(other.account_id)
    deactivating.activate([account.owner_id])

    assert while_deactivated == credentials.HeldCredentials((), (), is_set_aside=True)
    assert of_another.usable == (other.pk,)
    assert len(credentials.held_by(account.pk).usable) == 1


def test_account_that_is_set_aside_rests_on_when_its_owner_is_activated():
    account = make_credential().account
    setting_aside.set_aside([account.pk])

    deactivating.deactivate([account.owner_id])
    deactivating.activate([account.owner_id])

    assert credentials.held_by(account.pk).is_set_aside


def test_refusal_is_kept_with_its_time_and_reason():
    credential = make_credential()

    credentials.mark_refused(credential.pk, "unknown key")

    credential.refresh_from_db()
    assert credential.status == "refused"
    assert credential.refused_reason == "unknown key"
    assert credential.refused_at <= timezone.now()


def test_check_is_kept_with_its_time():
    before = timezone.now()
    credential = make_credential(checked_at=before)

    credentials.mark_checked(credential.pk)

    credential.refresh_from_db()
    assert credential.checked_at > before


def test_marking_a_deleted_credential_does_nothing():
    credentials.mark_refused(1, "unknown key")
    credentials.mark_checked(1)

    assert not Credential.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_only_a_change_of_state_is_announced(announced):
    credential = make_credential()
    account_id = str(credential.account_id)

    credentials.mark_checked(credential.pk)
    after_check = announced()
    credentials.mark_refused(credential.pk, "unknown key")
    credentials.mark_refused(credential.pk, "unknown key")
    after_refusals = announced()
    credentials.mark_checked(credential.pk)
    credentials.mark_checked(credential.pk)
    after_checks = announced()

    assert after_check == []
    assert after_refusals == [("credentials_changed", account_id)]
    assert after_checks == [("credentials_changed", account_id)]


# Deleting


def test_deleted_key_leaves_the_account_and_its_session(alice, exchange):
    signed_in = alice.sign_in(exchange.issue_key("alice")).json()

    response = alice.delete(f"credentials/{signed_in['credential']['id']}")

    assert response.status_code == 204
    assert alice.get("session").json()["user_id"] == signed_in["user_id"]
    assert alice.get("session").json()["credentials"] == []
    assert credentials.held_by(signed_in["user_id"]).usable == ()


def test_account_of_a_deleted_key_is_found_again_at_the_next_sign_in(alice, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key).json()
    alice.delete(f"credentials/{first['credential']['id']}")

    second = alice.sign_in(key).json()

    assert second["user_id"] == first["user_id"]


def test_charlie_can_neither_see_nor_delete_what_is_alices(alice, charlie, exchange):
    alices = alice.sign_in(exchange.issue_key("alice")).json()["credential"]["id"]
    charlies = charlie.sign_in(exchange.issue_key("charlie")).json()["credential"]["id"]

    response = charlie.delete(f"credentials/{alices}")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    assert Credential.objects.filter(pk=alices).exists()
    assert [held["id"] for held in charlie.get("session").json()["credentials"]] == [charlies]


def test_charlie_logging_out_leaves_alice_signed_in(alice, charlie, exchange):
    alice.sign_in(exchange.issue_key("alice"))
    charlie.sign_in(exchange.issue_key("charlie"))

    charlie.post("logout", {"forget": True})

    assert alice.get("session").status_code == 200
    assert Credential.objects.count() == 1


def test_unknown_credential_is_told_like_another_users(charlie, exchange):
    charlie.sign_in(exchange.issue_key("charlie"))

    response = charlie.delete("credentials/999999999")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.django_db(transaction=True)
def test_deletion_is_announced(announced):
    credential = make_credential()

    credentials.delete_credential([credential.account], credential.pk)

    assert announced() == [("credentials_changed", str(credential.account_id))]


# Forgetting


def test_forgetting_leaves_nothing_of_the_account(alice, exchange):
    alice.sign_in(exchange.issue_key("alice"))

    response = alice.post("logout", {"forget": True})

    assert response.status_code == 204
    assert response.cookies["session"].value == ""
    assert [model.objects.count() for model in (Account, AccountKey, Credential, Session)] == [
        0,
        0,
        0,
        0,
    ]
    assert alice.get("session").status_code == 401


def test_forgotten_account_comes_back_as_another_user(alice, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key).json()
    alice.post("logout", {"forget": True})

    second = alice.sign_in(key).json()

    assert second["user_id"] != first["user_id"]


@pytest.mark.django_db(transaction=True)
def test_forgetting_ends_every_session_of_the_account(announced):
    account = make_account()
    ended = [str(key_session(account)[0].pk) for _ in range(2)]

    forgetting.forget_user(account.owner)

    assert sorted(announced()) == sorted(
        [
            ("credentials_changed", str(account.pk)),
            *(("session_ended", session_id) for session_id in ended),
        ]
    )


@pytest.mark.django_db(transaction=True)
def test_row_written_while_its_account_is_forgotten_goes_with_it(own_connection):
    account = make_account()
    # Holds up the deletion at its last step, when the account's other rows are gone already.
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_account FOR UPDATE")

    def forget():
        with closing(connection):
            forgetting.forget_accounts(account.owner, [account.pk])

    thread = threading.Thread(target=forget)
    thread.start()
    wait_until_it_blocks_another(own_connection)
    own_connection.execute(
        "INSERT INTO accounts_accountkey (account_id, environment, subaccount, api_key_id)"
        " VALUES (%s, 'demo', 0, 'key')",
        [account.pk],
    )
    own_connection.execute("COMMIT")
    thread.join(timeout=10)

    assert not Account.objects.exists()
    assert not AccountKey.objects.exists()


@pytest.fixture
def database_setting(transactional_db):
    """Set something of the database for this test's own connection."""
    names = []

    def set_(name, value):
        names.append(name)
        with connection.cursor() as cursor:
            cursor.execute(f"SET {name} = '{value}'")

    yield set_
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"RESET {name}")


def attempts_to_forget(user, error):
    with CaptureQueriesContext(connection) as queries, pytest.raises(error):
        forgetting.forget_user(user)
    return sum("FOR UPDATE" in query["sql"] for query in queries)


@pytest.mark.django_db(transaction=True)
def test_what_others_hold_is_tried_for_again(own_connection, database_setting):
    user = make_account().owner
    database_setting("lock_timeout", "50ms")
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_user FOR UPDATE")

    assert attempts_to_forget(user, OperationalError) == forgetting.ATTEMPTS

    own_connection.execute("COMMIT")


@pytest.mark.django_db(transaction=True)
def test_database_that_takes_no_writes_is_not_tried_again(database_setting):
    user = make_account().owner
    database_setting("default_transaction_read_only", "on")

    assert attempts_to_forget(user, InternalError) == 1


def wait_until_it_blocks_another(blocking):
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        blocked = 0
        while not blocked:
            assert time.monotonic() < deadline
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))",
                [blocking.info.backend_pid],
            )
            [blocked] = cursor.fetchone()


def test_credential_in_the_database_is_not_readable():
    credential = make_credential(private_key=Secret.seal("a private key"))

    [stored] = Credential.objects.raw(
        "SELECT id, encode(private_key, 'escape') AS text FROM accounts_credential"
    )

    assert stored.pk == credential.pk
    assert "private key" not in stored.text
