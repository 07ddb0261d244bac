"""All lock in one order: the person before what is theirs, and sessions by number."""

from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone
from psycopg import sql

from accounts import key_sign_in, sessions
from accounts.devices import Device
from accounts.encryption import Secret
from accounts.key_sign_in import ShownKey
from accounts.models import Credential, Session
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.visitors import make_user, person_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["signed out", "signed in"])
def test_who_shows_a_key_waits_for_the_person_with_nothing_locked(
    alice, exchange, own_connection, in_thread, is_signed_in
):
    key = exchange.issue_key("alice")
    user_id = alice.sign_in(key).json()["user_id"]
    shown = ShownKey("demo", key.api_key_id, Secret.seal(key.private_key))
    session = Session.objects.get() if is_signed_in else None
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [user_id])

    shows = in_thread(
        lambda: async_to_sync(key_sign_in.authenticate)(shown, session=session, device=Device())
    )
    wait_for_a_blocked_session()
    # As who forgets the person does now.
    for model in (Session, Credential):
        own_connection.execute(f"SELECT FROM {model._meta.db_table} FOR UPDATE NOWAIT")
    own_connection.execute("COMMIT")

    assert shows.result(timeout=10).session.user_id == user_id


def test_key_of_who_is_forgotten_meanwhile_makes_another_user(
    alice, exchange, own_connection, in_thread
):
    key = exchange.issue_key("alice")
    user_id = alice.sign_in(key).json()["user_id"]
    shown = ShownKey("demo", key.api_key_id, Secret.seal(key.private_key))
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [user_id])

    shows = in_thread(
        lambda: async_to_sync(key_sign_in.authenticate)(shown, session=None, device=Device())
    )
    wait_for_a_blocked_session()
    for table in ("shownkey", "session", "credential", "accountkey", "account", "user"):
        own_connection.execute(
            sql.SQL("DELETE FROM {}").format(sql.Identifier(f"accounts_{table}"))
        )
    own_connection.execute("COMMIT")

    signed_in = shows.result(timeout=10)
    assert signed_in.session.user_id != user_id
    assert signed_in.account.owner_id == signed_in.session.user_id


def test_sessions_that_are_used_together_are_locked_by_number(rf, own_connection, in_thread):
    user = make_user()
    first, *others = (UUID(int=number) for number in range(1, 9))
    # The first lies behind the others, where an UPDATE comes upon them before.
    for number in (*others, first):
        session, _ = person_session(user)
        Session.objects.filter(pk=session.pk).update(id=number)
    Session.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    requests = [rf.get("/") for _ in range(8)]
    for request, session in zip(requests, Session.objects.all(), strict=True):
        request.COOKIES["session"] = sessions._token(session, issued_at=timezone.now())
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_session WHERE id = %s FOR UPDATE", [first])

    found = in_thread(sessions.of_requests, requests)
    wait_for_a_blocked_session()
    own_connection.execute(
        "SELECT FROM accounts_session WHERE id = ANY (%s) FOR UPDATE NOWAIT", [others]
    )
    own_connection.execute("COMMIT")

    assert {session.pk for session in found.result(timeout=10)} == {first, *others}


def test_sessions_that_end_together_are_locked_by_number(own_connection, in_thread):
    user = make_user()
    first, *others = (UUID(int=number) for number in range(1, 9))
    for number in (*others, first):
        session, _ = person_session(user)
        Session.objects.filter(pk=session.pk).update(id=number)
    own_connection.execute("BEGIN")
    own_connection.execute("SELECT FROM accounts_session WHERE id = %s FOR UPDATE", [first])

    ended = in_thread(transaction.atomic(sessions.end_all), user)
    wait_for_a_blocked_session()
    own_connection.execute(
        "SELECT FROM accounts_session WHERE id = ANY (%s) FOR UPDATE NOWAIT", [others]
    )
    own_connection.execute("COMMIT")

    ended.result(timeout=10)
    assert not Session.objects.filter(ended_at=None).exists()
