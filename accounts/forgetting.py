"""Forget accounts with their keys and figures, and people with all that is theirs."""

from collections.abc import Callable, Collection

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import CASCADE, ForeignObjectRel, Model

from accounts import known_networks, names, sessions, sight, ways_in
from accounts.models import Account, Session, User
from postgres.channels import CREDENTIALS_CHANGED, SESSION_ENDED, SIGHT_CHANGED
from postgres.notifications import publish

ATTEMPTS = 5
# Rows that one statement deletes: a million in one would take longer than the database gives it.
ROWS_AT_ONCE = 50_000


def forget_accounts(user: User, account_ids: Collection[int]) -> None:
    """
    Delete these accounts of the user: their keys, and all that was kept for them.

    Who owns none then, and has no way in but keys, is forgotten too. Sessions of keys that see
    nothing any more end.
    """
    _again_if_written_meanwhile(lambda: _forget_accounts(user.pk, account_ids))


def forget_user(user: User) -> None:
    """Delete the person: their ways in, sessions and accounts."""
    _again_if_written_meanwhile(lambda: _forget_user(user.pk))


def forget_all_seen(session: Session) -> None:
    """
    Delete all that the session stands for; ending it is left to the caller.

    Of a session of the person that is the user, of one of a key the accounts whose keys were shown.
    """
    if session.of == Session.Of.PERSON:
        forget_user(session.user)
        return
    seen = [account.pk for account in sight.of(session).accounts]
    forget_accounts(session.user, seen)


def _again_if_written_meanwhile(delete: Callable[[], None]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        # One that can't be reached can't be the next time either.
        connection.ensure_connection()
        try:
            return delete()
        except (IntegrityError, OperationalError):
            # The worker wrote rows of the account while they were being deleted: a foreign key
            # without its account, a deadlock, a lock that took too long, as all of its history is
            # being read. All is as before, and the worker may be done.
            if attempt == ATTEMPTS:
                raise


@transaction.atomic
def _forget_accounts(user_id: int, account_ids: Collection[int]) -> None:
    # Locked, so that two who forget the last two accounts don't each see the other's left.
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        return
    _delete(Account.objects.filter(owner=user, pk__in=account_ids).values_list("pk", flat=True))
    if not user.accounts.exists() and not ways_in.exist(user):
        _forget_user(user.pk)
        return
    blind = Session.objects.filter(user=user, of=Session.Of.KEY, ended_at=None, shown_keys=None)
    for session in blind:
        sessions.end(session)
    publish(SIGHT_CHANGED, str(user.pk))


@transaction.atomic
def _forget_user(user_id: int) -> None:
    # First, as who shows a key does: two who begin at both ends would wait for each other.
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        return
    _delete(user.accounts.values_list("pk", flat=True))
    for session_id in user.sessions.values_list("pk", flat=True):
        publish(SESSION_ENDED, str(session_id))
    if user.username is not None:
        known_networks.forget(names.digest(user.username))
    user.delete()


def _delete(account_ids: Collection[int]) -> None:
    ids = sorted(account_ids)
    accounts = Account.objects.filter(pk__in=ids).order_by("pk")
    kept = _kept_of_accounts()
    # Whoever takes an account over begins with it.
    list(accounts.select_for_update(no_key=True))
    # Who writes an account's rows begins with one of those that it has one of, in the order of the
    # applications, and comes to the account last, when it commits: at once each would wait for the
    # other.
    for relation in kept:
        if relation.one_to_one:
            own = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids})
            list(own.select_for_update().order_by("pk"))
    # Locked whole, so that no worker writes a row of theirs while theirs are deleted.
    list(accounts.select_for_update())
    for relation in kept:
        _delete_piecemeal(relation.related_model, **{f"{relation.field.name}__in": ids})
    accounts.delete()
    for account_id in ids:
        publish(CREDENTIALS_CHANGED, str(account_id))


def _kept_of_accounts() -> list[ForeignObjectRel]:
    """What the applications above keep of accounts, which may be much, and goes with them."""
    return [
        relation
        for relation in Account._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel)
        and relation.related_model._meta.app_label != Account._meta.app_label
        and relation.on_delete is CASCADE
    ]


def _delete_piecemeal(model: type[Model], **which: object) -> None:
    rows = model._base_manager.filter(**which)
    deleted = ROWS_AT_ONCE
    while deleted >= ROWS_AT_ONCE:
        deleted, _ = rows.filter(pk__in=rows.values("pk")[:ROWS_AT_ONCE]).delete()
