"""
Who may become a user, by `REGISTRATION`, and who becomes one of the staff.

A server that others can reach must not belong to whoever comes first: there the first person too
needs a link, which the start prints.
"""

from django.conf import settings
from django.db import connection

from accounts import one_time_links
from accounts.errors import RegistrationClosed
from accounts.models import Account, EnvironmentName, OneTimeLink, User
from accounts.one_time_links import Issued

# See also `throttle.LOCK_NAMESPACE`.
_LOCK = (0x5245, 0)  # "RE"

_SOMEBODY = (
    "Somebody uses this server already. Ask them for an invitation: staff make one on the page "
    "“Settings”, or with manage.py invite. If that is you, and the key is a new one of your "
    "account: sign in as before, or by a link of manage.py recover, and add it there."
)
_THE_FIRST = (
    "The first person needs the link that this server printed when it was started; manage.py "
    "invite --staff prints another."
)
_CLOSED = "This server takes nobody in. Whoever runs it can change that by REGISTRATION."
_USED = "This invitation was used already, or is older than seven days. Ask for another."


def wait_for_others() -> None:
    """Let nobody else become a user until this transaction ends: two could both be the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", _LOCK)


def owner_of_new_account(
    user: User | None, environment: str, *, invitation: str | None, is_own_sandbox: bool
) -> User:
    """
    Who is to own an account that nobody here owns yet: the user who is signed in, or a new one.

    Within a transaction that has waited for others, and must make the account.

    Args:
        user: who is signed in, if anybody is.
        is_own_sandbox: it is this machine's sandbox, opened from this machine.
    Raises:
        RegistrationClosed: they may not; the message says what they can do.
    """
    is_real = environment != EnvironmentName.SANDBOX
    is_first = not _is_in_use()
    if user is None or (is_real and user.is_guest):
        user = _let_in(
            user or _new_user(),
            invitation=invitation,
            is_own_sandbox=is_own_sandbox,
            is_first=is_first,
            is_real=is_real,
        )
    if is_first and is_real:
        _end_what_was_before(user)
    if is_real and not user.is_settled:
        user.is_settled = True
        user.save(update_fields=["is_settled"])
    return user


def _let_in(
    user: User, *, invitation: str | None, is_own_sandbox: bool, is_first: bool, is_real: bool
) -> User:
    link = None
    if invitation is not None and settings.REGISTRATION != "closed":
        link = one_time_links.use(OneTimeLink.Kind.INVITATION, invitation)
    if link is None and not is_own_sandbox:
        _refuse_unless_open(is_first, is_invited=invitation is not None)
    user.is_guest = is_own_sandbox and link is None
    if (link is not None and link.is_staff) or _becomes_staff(is_first, is_real=is_real):
        user.is_staff = True
    user.save()
    return user


def _end_what_was_before(first: User) -> None:
    # The links to become staff were for the first person, and are in the logs of every start.
    OneTimeLink.objects.filter(
        kind=OneTimeLink.Kind.INVITATION, is_staff=True, used_at__isnull=True
    ).delete()
    # Whoever uses this machine gets into the sandbox, and was staff while it was all there is.
    User.objects.filter(is_guest=True, is_staff=True).exclude(pk=first.pk).update(is_staff=False)


def first_link() -> Issued | None:
    """The link for the first person, where one is needed."""
    if settings.PUBLIC_ORIGIN is None or settings.REGISTRATION == "closed" or _is_in_use():
        return None
    return one_time_links.invite(is_staff=True)


def require_that_invitations_count() -> None:
    """
    Let pass where an invitation lets somebody in.

    Raises:
        RegistrationClosed: nothing does.
    """
    if settings.REGISTRATION == "closed":
        raise RegistrationClosed(_CLOSED)


def _refuse_unless_open(is_first: bool, *, is_invited: bool) -> None:
    match settings.REGISTRATION:
        case "open":
            return
        case "closed":
            raise RegistrationClosed(_CLOSED)
    if is_first and settings.PUBLIC_ORIGIN is None:
        return
    if is_invited:
        raise RegistrationClosed(_USED)
    raise RegistrationClosed(_THE_FIRST if is_first else _SOMEBODY)


def _becomes_staff(is_first: bool, *, is_real: bool) -> bool:
    # With PUBLIC_ORIGIN nobody is the first by being quick: only by the link. The sandbox uses
    # nothing up, so that whoever comes first with a real account is the first all the same.
    if settings.PUBLIC_ORIGIN is not None or not is_first:
        return False
    return is_real or not Account.objects.exists()


def _is_in_use() -> bool:
    # Not by who owns an account now: whoever holds a key may forget its account, and would be the
    # first again.
    return (
        Account.objects.exclude(environment=EnvironmentName.SANDBOX).exists()
        or User.objects.filter(is_settled=True).exists()
    )


def _new_user() -> User:
    user = User()
    user.set_unusable_password()
    return user
