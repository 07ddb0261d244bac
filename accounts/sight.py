"""
What a session may see and do.

A key proves one account; only a password, a passkey or a recovery link proves the person. So a
session of a key sees the accounts whose keys were shown in it, and whatever concerns the person is
left to a session of the person, proved lately. A key that was deleted or refused since proves
nothing any more; what it has shown stays seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import ways_in
from accounts.errors import NoAccount, NotFound, NotSignedIn, SignInAgain
from accounts.models import Account, Credential, Session, ShownKey, User

PROVED_FOR = timedelta(minutes=10)
CLOCK_SLACK = timedelta(seconds=30)
_SHOW_ALL = (
    "Show a key of each of your accounts in this session first. One that was deleted or refused "
    "since does not count: show it again, or another."
)


@dataclass(frozen=True, slots=True)
class Sight:
    """The accounts that a session sees, oldest first, and which of them is its default."""

    accounts: tuple[Account, ...]
    default: Account | None

    def label(self, account: Account) -> str:
        """Its name, told apart from others that have the same."""
        named_so = [each.pk for each in self.accounts if each.name == account.name]
        # At first the environment's word, which is a program's.
        name = account.name.capitalize() if account.name == account.environment else account.name
        return f"{name} {named_so.index(account.pk) + 1}" if len(named_so) > 1 else name

    def has(self, account_id: int | None) -> bool:
        """Whether an account of this id is among them."""
        return any(account.pk == account_id for account in self.accounts)

    def one(self, account_id: int | None) -> Account:
        """
        The account of this id, the default one without.

        Raises:
            NotFound: this session sees no such account, whoever else may.
            NoAccount: it sees none at all.
        """
        if account_id is None:
            if self.default is None:
                raise NoAccount
            return self.default
        for account in self.accounts:
            if account.pk == account_id:
                return account
        raise NotFound


def of(session: Session) -> Sight:
    """What the session sees."""
    owned = Account.objects.filter(owner=session.user_id).order_by("pk")
    if session.of == Session.Of.PERSON:
        return _sight(owned)
    return _sight(owned.filter(shown_in__session=session).order_by("shown_in__pk"))


def of_sessions(session_ids: Iterable[UUID]) -> dict[UUID, Sight]:
    """What each of these sessions sees; those that are no longer alive are left out."""
    return of_living(Session.objects.alive(timezone.now()).filter(pk__in=list(session_ids)))


def of_living(sessions: Iterable[Session]) -> dict[UUID, Sight]:
    """What each of these sessions sees, by two questions for all of them."""
    living = list(sessions)
    owned: dict[int, dict[int, Account]] = {session.user_id: {} for session in living}
    for account in Account.objects.filter(owner__in=owned).order_by("pk"):
        owned[account.owner_id][account.pk] = account
    shown: dict[UUID, list[int]] = {session.pk: [] for session in living}
    keys = ShownKey.objects.filter(session__in=shown).order_by("pk")
    for session_id, account_id in keys.values_list("session_id", "account_id"):
        shown[session_id].append(account_id)
    seen = {}
    for session in living:
        own = owned[session.user_id]
        if session.of == Session.Of.PERSON:
            seen[session.pk] = _sight(own.values())
        else:
            ids = [account_id for account_id in shown[session.pk] if account_id in own]
            seen[session.pk] = _sight(own[account_id] for account_id in ids)
    return seen


def _sight(in_order: Iterable[Account]) -> Sight:
    accounts = tuple(in_order)
    chosen = next((account for account in accounts if account.is_chosen), None)
    first = accounts[0] if accounts else None
    return Sight(tuple(sorted(accounts, key=lambda account: account.pk)), chosen or first)


def require_person(session: Session) -> None:
    """
    Let pass whoever may change what concerns the person.

    While there is no other way in than keys, that is who has shown a key of every account that is
    good still.

    Raises:
        SignInAgain: by password or passkey, or with the other keys too.
    """
    if ways_in.exist(session.user):
        if not is_proved(session):
            raise SignInAgain
    elif not _proves_everything(session):
        raise SignInAgain(_SHOW_ALL)


def require_everything(session: Session) -> None:
    """
    Let pass who sees all accounts of the user, by keys that are stored still.

    One that the exchange refuses counts here: its owner may have made another, and adds that.

    Raises:
        SignInAgain: by password or passkey, or with the other keys too.
    """
    if _sees_everything(session, Credential.objects.all()):
        return
    if ways_in.exist(session.user):
        raise SignInAgain
    raise SignInAgain(_SHOW_ALL)


def lock_person(session: Session) -> None:
    """
    As `require_person`, for the rest of the transaction: nobody else sets a first way in, or adds
    an account, between this look and its end.
    """
    user = User.objects.select_for_update().filter(pk=session.user_id).first()
    if user is None:
        raise NotSignedIn
    session.user = user
    require_person(session)


def may_set_first_way_in(session: Session) -> bool:
    """Whether the user has no way in but keys, and this session may set the first."""
    return not ways_in.exist(session.user) and _proves_everything(session)


def is_proved(session: Session) -> bool:
    """Whether the person was proved lately in this session."""
    if session.of != Session.Of.PERSON or session.proved_at is None:
        return False
    # A time that has yet to come is of a clock that was wrong since, or is now.
    return -CLOCK_SLACK < timezone.now() - session.proved_at < PROVED_FOR


def _proves_everything(session: Session) -> bool:
    """Whether the session sees all accounts of its user, by keys that the exchange accepts."""
    return _sees_everything(session, Credential.objects.usable())


def _sees_everything(session: Session, counting: QuerySet[Credential]) -> bool:
    """
    Whether the session sees all accounts that its user owns, by keys that count.

    Of a key it sees for certain those whose key, as it was shown, is stored for them: one that its
    owner has deleted may be a thief's. Where it was not noted which key that was, as by versions
    before, the account counts again once a key of it is shown again.
    """
    if session.of == Session.Of.PERSON:
        return True
    proving = ShownKey.objects.filter(
        session=session,
        credential__in=counting,
        # A key that was changed at the exchange has moved to another account.
        credential__account=F("account"),
    )
    owned = Account.objects.filter(owner=session.user_id)
    return not owned.exclude(pk__in=proving.values("account")).exists()
