import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from accounts import credentials, sessions
from accounts.encryption import Secret
from accounts.errors import CredentialUnusable
from accounts.models import Account, AccountKey, Credential, Session
from tests.integration.accounts.conftest import make_account, make_credential

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

    assert len(credentials.usable_credentials()) == 2
    assert credentials.reveal(good)


def test_usable_credentials_are_listed_by_account_newest_first():
    alices, charlies = make_account(), make_account()
    first = make_credential(alices, api_key_id="first")
    second = make_credential(alices, api_key_id="second")
    other = make_credential(charlies, api_key_id="other")

    listed = credentials.usable_credentials()

    assert listed == [
        credentials.AccountCredentials(alices.pk, (second.pk, first.pk)),
        credentials.AccountCredentials(charlies.pk, (other.pk,)),
    ]


def test_refused_credential_is_listed_as_such_until_it_is_accepted_again():
    credential = make_credential()
    expected = [credentials.AccountCredentials(credential.account_id, (credential.pk,))]

    credentials.mark_refused(credential.pk, "unknown key")
    while_refused = credentials.usable_credentials(), credentials.refused_credentials()
    credentials.mark_checked(credential.pk)
    afterwards = credentials.usable_credentials(), credentials.refused_credentials()

    assert while_refused == ([], expected)
    assert afterwards == (expected, [])


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
    assert credentials.usable_credentials() == []


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

    credentials.delete_credential(credential.account, credential.pk)

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
    ended = [str(sessions.issue(account)[0].pk) for _ in range(2)]

    credentials.forget(account)

    assert sorted(announced()) == sorted(
        [
            ("credentials_changed", str(account.pk)),
            *(("session_ended", session_id) for session_id in ended),
        ]
    )


def test_credential_in_the_database_is_not_readable():
    credential = make_credential(private_key=Secret.seal("a private key"))

    [stored] = Credential.objects.raw(
        "SELECT id, encode(private_key, 'escape') AS text FROM accounts_credential"
    )

    assert stored.pk == credential.pk
    assert "private key" not in stored.text
