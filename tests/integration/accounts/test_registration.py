"""Who may become a user, and who becomes one of the staff."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import one_time_links, registration, sessions
from accounts.models import Account, Credential, OneTimeLink, Session, ShownKey, User
from tests.integration.accounts.conftest import error_of
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.visitors import (
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    visitor_with,
)

pytestmark = pytest.mark.django_db

MOMENT = timedelta(seconds=1)
HERE = None
ABROAD = "https://kalshi.example"
THE_FIRST = "The first person needs the link that this server printed"
SOMEBODY = "Somebody uses this server already. Ask them for an invitation"
CLOSED = "This server takes nobody in."
USED = "This invitation was used already, or is older than seven days."


@pytest.fixture
def somebody() -> User:
    """Who owns a real account already."""
    return make_account(make_user("bob", "a long password")).owner


@pytest.fixture
def link():
    """What a visitor has for an invitation."""

    def link(kind: str) -> str | None:
        match kind:
            case "none":
                return None
            case "garbage":
                return "nonsense"
            case "recovery":
                return one_time_links.recovery(make_user("eve")).url
        url = one_time_links.invite(is_staff=kind == "staff").url
        issued = OneTimeLink.objects.filter(kind="invitation")
        if kind == "used":
            issued.update(used_at=timezone.now())
        if kind == "expired":
            issued.update(expires_at=timezone.now())
        return url.partition("=")[2] if kind == "token" else url

    return link


@pytest.fixture
def sandbox(settings, exchange, tmp_path):
    """The sandbox of this machine, which opens with a click."""
    settings.SANDBOX_DIR = tmp_path
    here = exchange.environment("sandbox")
    settings.KALSHI_ENVIRONMENTS = settings.KALSHI_ENVIRONMENTS | {"sandbox": here}
    key = exchange.issue_key("sandbox")
    (tmp_path / "credentials.json").write_text(json.dumps(vars(key)))
    return key


def click(visitor: Visitor, **fields):
    return visitor.post("authenticate", {"environment": "sandbox"} | fields)


def rows() -> list[int]:
    """How many there are of all that a sign-in stores, and of unused links."""
    unused = OneTimeLink.objects.filter(used_at=None)
    return [model.objects.count() for model in (User, Account, Credential, Session, ShownKey)] + [
        unused.count()
    ]


# With a real key


@pytest.mark.parametrize(
    ("mode", "origin", "invitation", "is_staff"),
    [
        # The first person here is who comes first, whatever they bring.
        ("first", HERE, "none", True),
        ("first", HERE, "good", True),
        ("first", HERE, "staff", True),
        ("first", HERE, "used", True),
        ("first", HERE, "garbage", True),
        # Where others reach it, nobody is first by being quick.
        ("first", ABROAD, "good", False),
        ("first", ABROAD, "token", False),
        ("first", ABROAD, "staff", True),
        ("open", HERE, "none", True),
        ("open", HERE, "garbage", True),
        ("open", ABROAD, "none", False),
        ("open", ABROAD, "good", False),
        ("open", ABROAD, "staff", True),
    ],
)
def test_first_person_is_let_in(
    alice, exchange, settings, link, mode, origin, invitation, is_staff
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin

    response = alice.sign_in(exchange.issue_key("alice"), invitation=link(invitation))

    user = User.objects.get()
    assert response.status_code == 200
    assert (user.is_staff, user.is_guest, user.is_active) == (is_staff, False, True)
    assert not user.has_usable_password()
    assert not OneTimeLink.objects.good(timezone.now()).exists()


@pytest.mark.parametrize(
    ("mode", "origin", "invitation", "told"),
    [
        ("first", ABROAD, "none", THE_FIRST),
        ("first", ABROAD, "used", USED),
        ("first", ABROAD, "expired", USED),
        ("first", ABROAD, "garbage", USED),
        ("first", ABROAD, "recovery", USED),
        ("closed", HERE, "none", CLOSED),
        ("closed", HERE, "good", CLOSED),
        ("closed", HERE, "staff", CLOSED),
        ("closed", ABROAD, "none", CLOSED),
        ("closed", ABROAD, "staff", CLOSED),
        ("closed", ABROAD, "garbage", CLOSED),
    ],
)
def test_first_person_is_refused_and_leaves_nothing(
    alice, exchange, settings, link, mode, origin, invitation, told
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin
    brought = link(invitation)
    before = rows()

    response = alice.sign_in(exchange.issue_key("alice"), invitation=brought)

    assert error_of(response) == (403, "registration_closed")
    assert response.json()["error"]["message"].startswith(told)
    assert rows() == before
    assert "session" not in alice.browser.cookies


@pytest.mark.parametrize("origin", [HERE, ABROAD])
@pytest.mark.parametrize(
    ("mode", "invitation", "is_staff"),
    [
        ("first", "good", False),
        ("first", "token", False),
        ("first", "staff", True),
        ("open", "none", False),
        ("open", "good", False),
        ("open", "staff", True),
        ("open", "used", False),
        ("open", "recovery", False),
    ],
)
def test_one_more_person_is_let_in(
    alice, exchange, settings, somebody, link, origin, mode, invitation, is_staff
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin
    brought = link(invitation)

    response = alice.sign_in(exchange.issue_key("alice"), invitation=brought)

    user = User.objects.get(pk=response.json()["user_id"])
    assert user != somebody
    assert (user.is_staff, user.is_guest) == (is_staff, False)
    assert not OneTimeLink.objects.filter(kind="invitation", used_at=None).exists()


@pytest.mark.parametrize("origin", [HERE, ABROAD])
@pytest.mark.parametrize(
    ("mode", "invitation", "told"),
    [
        ("first", "none", SOMEBODY),
        ("first", "used", USED),
        ("first", "expired", USED),
        ("first", "garbage", USED),
        ("first", "recovery", USED),
        ("closed", "none", CLOSED),
        ("closed", "good", CLOSED),
        ("closed", "staff", CLOSED),
    ],
)
def test_one_more_person_is_refused_and_leaves_nothing(
    alice, exchange, settings, somebody, link, origin, mode, invitation, told
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin
    brought = link(invitation)
    before = rows()

    response = alice.sign_in(exchange.issue_key("alice"), invitation=brought)

    assert error_of(response) == (403, "registration_closed")
    assert response.json()["error"]["message"].startswith(told)
    assert rows() == before


@pytest.mark.parametrize("odd", ["", "=", "\0", "\ud800", "x" * 1000, "?invitation=", "é" * 300])
def test_odd_invitation_is_none(alice, exchange, settings, somebody, odd):
    settings.REGISTRATION = "first"

    response = alice.sign_in(exchange.issue_key("alice"), invitation=odd)

    assert error_of(response) == (403, "registration_closed")


def test_invitation_serves_once(alice, charlie, exchange, settings, somebody, link):
    settings.REGISTRATION = "first"
    brought = link("good")

    first = alice.sign_in(exchange.issue_key("alice"), invitation=brought)
    second = charlie.sign_in(exchange.issue_key("charlie"), invitation=brought)

    assert (first.status_code, error_of(second)) == (200, (403, "registration_closed"))


def test_recovery_link_is_not_used_up_as_an_invitation(alice, exchange, settings, somebody):
    settings.REGISTRATION = "first"
    url = one_time_links.recovery(somebody).url

    alice.sign_in(exchange.issue_key("alice"), invitation=url)

    assert alice.post("recover", {"token": url}).status_code == 200


def test_invitation_recovers_nobody(alice, link):
    assert error_of(alice.post("recover", {"token": link("staff")})) == (401, "wrong_link")
    assert OneTimeLink.objects.get().used_at is None


def test_key_that_is_refused_uses_no_invitation_up(alice, exchange, settings, somebody, link):
    settings.REGISTRATION = "first"
    brought = link("good")

    refused = alice.sign_in(exchange.issue_key("alice", may_read=False), invitation=brought)
    unconfirmed = alice.sign_in(
        exchange.issue_key("alice", scopes=["read", "write"]), invitation=brought
    )

    assert error_of(refused) == (403, "key_scope")
    assert error_of(unconfirmed) == (409, "trading_key_unconfirmed")
    assert OneTimeLink.objects.get().used_at is None


def test_who_is_a_user_already_needs_no_leave_and_uses_nothing_up(
    alice, charlie, exchange, settings, somebody, link
):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key)
    settings.REGISTRATION = "closed"
    brought = link("staff")

    again = charlie.sign_in(key, invitation=brought)

    assert again.json()["user_id"] == first.json()["user_id"]
    assert not User.objects.get(pk=first.json()["user_id"]).is_staff
    assert OneTimeLink.objects.get().used_at is None


@pytest.mark.parametrize("mode", ["first", "open", "closed"])
def test_who_is_signed_in_adds_accounts_as_they_like(alice, exchange, settings, somebody, mode):
    user_id = alice.sign_in(exchange.issue_key("alice")).json()["user_id"]
    settings.REGISTRATION = mode

    response = alice.sign_in(exchange.issue_key("another of hers"), environment="production")

    assert response.json()["user_id"] == user_id
    assert User.objects.get(pk=user_id).accounts.count() == 2


def test_sign_in_with_an_invitation_does_not_make_staff_of_who_is_signed_in(
    alice, exchange, somebody, link
):
    user_id = alice.sign_in(exchange.issue_key("alice")).json()["user_id"]

    alice.sign_in(exchange.issue_key("another of hers"), invitation=link("staff"))

    assert not User.objects.get(pk=user_id).is_staff
    assert OneTimeLink.objects.get().used_at is None


# The first person's links


def test_unused_links_to_become_staff_end_with_the_first_person(alice, charlie, exchange, settings):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = "first", ABROAD
    of_yesterday, of_today = registration.first_link(), registration.first_link()

    alice.sign_in(exchange.issue_key("alice"), invitation=of_today.url)
    response = charlie.sign_in(exchange.issue_key("charlie"), invitation=of_yesterday.url)

    assert error_of(response) == (403, "registration_closed")
    assert User.objects.get().is_staff


def test_they_end_too_where_the_first_account_is_added_by_who_was_made_by_hand(
    exchange, charlie, settings
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = "first", ABROAD
    of_today = registration.first_link()
    admin = visitor_with(person_session(make_user("ada", "a password", is_staff=True))[1])

    admin.sign_in(exchange.issue_key("ada"))
    response = charlie.sign_in(exchange.issue_key("charlie"), invitation=of_today.url)

    assert error_of(response) == (403, "registration_closed")


def test_other_invitations_outlive_the_first_person(alice, charlie, exchange, settings):
    settings.REGISTRATION = "first"
    other = one_time_links.invite(is_staff=False)

    alice.sign_in(exchange.issue_key("alice"))

    response = charlie.sign_in(exchange.issue_key("charlie"), invitation=other.url)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("mode", "origin", "is_one"),
    [
        ("first", ABROAD, True),
        ("open", ABROAD, True),
        ("closed", ABROAD, False),
        ("first", HERE, False),
    ],
)
def test_start_has_a_link_where_the_first_person_needs_one(settings, mode, origin, is_one):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin

    issued = registration.first_link()

    assert bool(issued) == is_one
    assert OneTimeLink.objects.filter(is_staff=True).count() == is_one


def test_start_has_no_link_once_somebody_is_there(settings, somebody):
    settings.PUBLIC_ORIGIN = ABROAD

    assert registration.first_link() is None


def test_start_has_a_link_although_somebody_uses_the_sandbox(settings):
    settings.PUBLIC_ORIGIN = ABROAD
    make_account(environment="sandbox")

    assert registration.first_link().url.startswith("https://kalshi.example/?invitation=")


def test_link_is_hidden_where_it_is_printed_by_accident_and_stored_nowhere():
    issued = one_time_links.invite(is_staff=True)

    token = issued.url.partition("=")[2]
    assert token not in repr(issued)
    assert token not in str(OneTimeLink.objects.values().get())


# The sandbox's click


@pytest.mark.parametrize("mode", ["first", "open", "closed"])
@pytest.mark.parametrize(("origin", "is_staff"), [(HERE, True), (ABROAD, False)])
def test_click_is_always_allowed_from_this_machine(
    alice, sandbox, settings, mode, origin, is_staff
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = mode, origin

    response = click(alice)

    user = User.objects.get()
    assert response.status_code == 200
    assert (user.is_guest, user.is_staff) == (True, is_staff)


def test_click_uses_nothing_up(alice, charlie, exchange, sandbox, settings):
    settings.REGISTRATION = "first"
    click(alice)

    response = charlie.sign_in(exchange.issue_key("charlie"))

    assert response.status_code == 200
    assert User.objects.get(pk=response.json()["user_id"]).is_staff


def test_staff_of_the_click_is_staff_no_more_when_the_first_person_comes(
    alice, charlie, exchange, sandbox, settings
):
    settings.REGISTRATION = "first"
    guest_id = click(alice).json()["user_id"]

    charlie.sign_in(exchange.issue_key("charlie"))

    # Whoever uses this machine has the sandbox's session for a click.
    assert not User.objects.get(pk=guest_id).is_staff
    assert error_of(alice.post("invitations", {"staff": True})) == (403, "staff_only")


def test_click_makes_no_staff_where_somebody_is_there(alice, sandbox, settings, somebody):
    click(alice)

    assert not User.objects.get(is_guest=True).is_staff


def test_guest_who_comes_first_with_a_real_account_is_the_first(alice, exchange, sandbox, settings):
    settings.REGISTRATION = "first"
    guest_id = click(alice).json()["user_id"]

    response = alice.sign_in(exchange.issue_key("alice"))

    user = User.objects.get()
    assert response.json()["user_id"] == guest_id == user.pk
    assert (user.is_guest, user.is_staff) == (False, True)
    assert len(alice.get("session").json()["accounts"]) == 2


@pytest.mark.parametrize(
    ("mode", "invitation", "status"),
    [
        ("first", "none", 403),
        ("first", "garbage", 403),
        ("first", "good", 200),
        ("open", "none", 200),
        ("closed", "none", 403),
        ("closed", "good", 403),
    ],
)
def test_guest_needs_leave_for_a_real_account(
    alice, exchange, sandbox, settings, somebody, link, mode, invitation, status
):
    settings.REGISTRATION = mode
    guest_id = click(alice).json()["user_id"]
    brought = link(invitation)
    before = rows()

    response = alice.sign_in(exchange.issue_key("alice"), invitation=brought)

    user = User.objects.get(pk=guest_id)
    assert response.status_code == status
    assert user.is_guest == (status == 403)
    assert not user.is_staff
    assert (rows() == before) == (status == 403)


def test_guest_needs_a_link_for_a_real_account_where_others_reach_the_server(
    alice, exchange, sandbox, settings
):
    settings.REGISTRATION, settings.PUBLIC_ORIGIN = "first", ABROAD
    click(alice)

    refused = alice.sign_in(exchange.issue_key("alice"))
    let_in = alice.sign_in(
        exchange.issue_key("alice"), invitation=one_time_links.invite(is_staff=True).url
    )

    assert refused.json()["error"]["message"].startswith(THE_FIRST)
    assert let_in.status_code == 200
    assert User.objects.get().is_staff


def test_guest_with_a_password_needs_leave_all_the_same(
    charlie, exchange, sandbox, settings, somebody
):
    settings.REGISTRATION = "first"
    click(charlie)
    charlie.post("password", {"username": "charlie", "new_password": "correct horse battery"})
    charlie.post("login", {"username": "charlie", "password": "correct horse battery"})

    response = charlie.sign_in(exchange.issue_key("charlie"))

    assert charlie.get("session").json()["of"] == "person"
    assert error_of(response) == (403, "registration_closed")


def test_click_with_an_invitation_makes_no_guest(alice, exchange, sandbox, settings, somebody):
    settings.REGISTRATION = "first"
    invitation = one_time_links.invite(is_staff=False).url
    click(alice, invitation=invitation)

    response = alice.sign_in(exchange.issue_key("alice"))

    assert response.status_code == 200


def test_sandbox_key_from_elsewhere_needs_leave(alice, sandbox, settings, somebody):
    settings.REGISTRATION = "first"
    body = {"environment": "sandbox", **vars(sandbox)}

    response = alice.post("authenticate", body, REMOTE_ADDR="192.0.2.7")

    assert error_of(response) == (403, "registration_closed")


def test_second_click_is_the_same_person(alice, charlie, sandbox):
    assert click(alice).json()["user_id"] == click(charlie).json()["user_id"]


# What changes while the exchange is asked


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "ending", [sessions.end_all, User.delete], ids=["signed out everywhere", "forgotten"]
)
def test_session_that_ends_meanwhile_adds_no_account(alice, exchange, ending):
    user = User.objects.get(pk=alice.sign_in(exchange.issue_key("alice")).json()["user_id"])

    def end():
        with closing(connection):
            ending(user)

    exchange.on_positions = end

    response = alice.sign_in(exchange.issue_key("another of hers"))

    assert error_of(response) == (401, "not_signed_in")
    assert Account.objects.count() <= 1
    assert Credential.objects.count() <= 1


@pytest.mark.django_db(transaction=True)
def test_guest_is_not_made_active_again_by_a_sign_in_under_way(alice, exchange, sandbox):
    guest_id = click(alice).json()["user_id"]

    def deactivate():
        with closing(connection):
            User.objects.update(is_active=False)

    exchange.on_positions = deactivate

    response = alice.sign_in(exchange.issue_key("alice"))

    assert response.status_code == 401
    assert not User.objects.get(pk=guest_id).is_active


@pytest.mark.django_db(transaction=True)
def test_password_that_a_guest_sets_meanwhile_stays(alice, exchange, sandbox):
    user_id = click(alice).json()["user_id"]

    def set_password():
        with closing(connection):
            user = User.objects.get(pk=user_id)
            user.username = "alice"
            user.set_password("correct horse battery")
            user.save()

    exchange.on_positions = set_password

    response = alice.sign_in(exchange.issue_key("alice"))

    user = User.objects.get(pk=user_id)
    assert response.status_code == 200
    assert (user.username, user.check_password("correct horse battery")) == ("alice", True)
    assert not user.is_guest


# At the same moment


def at_once(exchange, visitors, **fields) -> list[int]:
    """Sign all of them in, each with a key of their own, all checked before one is stored."""
    keys = [exchange.issue_key(f"owner {number}") for number in range(len(visitors))]
    all_checked = threading.Barrier(len(visitors), timeout=20)
    exchange.on_positions = all_checked.wait

    def sign_in(visitor, key):
        with closing(connection):
            return visitor.sign_in(key, **fields).status_code

    with ThreadPoolExecutor(len(visitors)) as threads:
        return list(threads.map(sign_in, visitors, keys))


@pytest.mark.django_db(transaction=True)
def test_of_those_who_come_first_at_once_exactly_one_is(exchange, settings):
    settings.REGISTRATION = "first"

    statuses = at_once(exchange, [Visitor() for _ in range(4)])

    assert sorted(statuses) == [200, 403, 403, 403]
    assert User.objects.get().is_staff
    assert Account.objects.count() == Credential.objects.count() == Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_where_all_may_come_exactly_one_becomes_staff(exchange, settings):
    settings.REGISTRATION = "open"

    statuses = at_once(exchange, [Visitor() for _ in range(4)])

    assert statuses == [200] * 4
    assert User.objects.filter(is_staff=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_invitation_lets_one_of_several_in(exchange, settings, somebody):
    settings.REGISTRATION = "first"
    url = one_time_links.invite(is_staff=True).url

    statuses = at_once(exchange, [Visitor() for _ in range(4)], invitation=url)

    assert sorted(statuses) == [200, 403, 403, 403]
    assert User.objects.filter(is_staff=True).count() == 1


# Who invites


def test_command_prints_an_invitation_and_until_when(alice, exchange, settings, somebody, capsys):
    settings.REGISTRATION = "first"

    call_command("invite")

    told = capsys.readouterr()
    url = told.out.strip()
    link = OneTimeLink.objects.get()
    assert url.startswith("http://localhost:8000/?invitation=")
    assert f"{link.expires_at:%Y-%m-%d %H:%M} UTC" in told.err
    assert link.expires_at - timezone.now() > timedelta(days=6, hours=23)
    response = alice.sign_in(exchange.issue_key("alice"), invitation=url)
    assert not User.objects.get(pk=response.json()["user_id"]).is_staff


def test_command_prints_an_invitation_to_become_staff(settings, capsys):
    settings.PUBLIC_ORIGIN = ABROAD

    call_command("invite", "--staff")

    assert capsys.readouterr().out.startswith("https://kalshi.example/?invitation=")
    assert OneTimeLink.objects.get().is_staff


def test_command_says_that_an_invitation_would_not_count(settings):
    settings.REGISTRATION = "closed"

    with pytest.raises(CommandError, match="This server takes nobody in"):
        call_command("invite")

    assert not OneTimeLink.objects.exists()


@pytest.fixture
def staff() -> Visitor:
    """One of the staff, just proved."""
    return visitor_with(person_session(make_user("ada", "a password", is_staff=True))[1])


@pytest.mark.parametrize("is_staff", [False, True])
def test_staff_invites_from_the_page(staff, alice, exchange, settings, somebody, is_staff):
    settings.REGISTRATION = "first"

    response = staff.post("invitations", {"staff": is_staff})

    link = OneTimeLink.objects.get()
    assert response.status_code == 201
    assert abs(datetime.fromisoformat(response.json()["expires_at"]) - link.expires_at) < MOMENT
    invited = alice.sign_in(exchange.issue_key("alice"), invitation=response.json()["url"])
    assert User.objects.get(pk=invited.json()["user_id"]).is_staff == is_staff


@pytest.mark.parametrize(
    ("origin", "begins"), [(HERE, "http://testserver/"), (ABROAD, "https://kalshi.example/")]
)
def test_invitation_leads_to_where_the_page_is(staff, settings, origin, begins):
    settings.PUBLIC_ORIGIN = origin

    url = staff.post("invitations", {"staff": False}).json()["url"]

    assert url.startswith(begins)
    assert urlsplit(url).query.startswith("invitation=")


def test_who_is_no_staff_invites_nobody(somebody):
    response = visitor_with(person_session(somebody)[1]).post("invitations", {"staff": False})

    assert error_of(response) == (403, "staff_only")
    assert not OneTimeLink.objects.exists()


def test_staff_that_was_not_proved_lately_invites_nobody(staff):
    Session.objects.update(proved_at=timezone.now() - timedelta(minutes=10))

    assert error_of(staff.post("invitations", {"staff": True})) == (403, "sign_in_again")
    assert not OneTimeLink.objects.exists()


def test_key_of_the_staff_invites_nobody():
    account = make_account(make_user("ada", "a password", is_staff=True))
    holder = visitor_with(key_session(account)[1])

    assert error_of(holder.post("invitations", {"staff": True})) == (403, "sign_in_again")
    assert not OneTimeLink.objects.exists()


def test_staff_invites_nobody_where_that_would_not_count(staff, settings):
    settings.REGISTRATION = "closed"

    response = staff.post("invitations", {"staff": False})

    assert error_of(response) == (403, "registration_closed")


ENDINGS = {
    "new password": ("password", {"username": "ada", "new_password": "another long password"}),
    "everywhere": ("logout", {"everywhere": True}),
    "forgotten": ("logout", {"forget": True}),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_invitation_ends_with_who_made_it(staff, alice, exchange, settings, somebody, ending):
    settings.REGISTRATION = "first"
    url = staff.post("invitations", {"staff": True}).json()["url"]
    other = visitor_with(person_session(make_user("eve", "a password", is_staff=True))[1])
    others = [
        other.post("invitations", {"staff": False}).json()["url"],
        one_time_links.invite(is_staff=False).url,
    ]

    ended = staff.post(*ending)

    assert ended.status_code == 204
    refused = alice.sign_in(exchange.issue_key("alice"), invitation=url)
    assert error_of(refused) == (403, "registration_closed")
    invited = [Visitor().sign_in(exchange.issue_key(each), invitation=each) for each in others]
    assert [each.status_code for each in invited] == [200, 200]


def test_invitation_outlives_one_session_of_who_made_it(staff, alice, exchange, settings, somebody):
    settings.REGISTRATION = "first"
    url = staff.post("invitations", {"staff": False}).json()["url"]

    staff.post("logout", {})

    assert alice.sign_in(exchange.issue_key("alice"), invitation=url).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    ["UPDATE accounts_user SET is_active = FALSE", "UPDATE accounts_session SET ended_at = now()"],
    ids=["deactivated", "signed out everywhere"],
)
def test_who_is_shut_out_at_this_moment_invites_nobody(staff, own_connection, in_thread, change):
    own_connection.execute("BEGIN")
    own_connection.execute(change)

    invited = in_thread(staff.post, "invitations", {"staff": True})
    wait_for_a_blocked_session()
    own_connection.execute("COMMIT")

    assert error_of(invited.result(timeout=10)) == (401, "not_signed_in")
    assert not OneTimeLink.objects.exists()


def test_stranger_invites_nobody(alice):
    assert error_of(alice.post("invitations", {"staff": True})) == (401, "not_signed_in")
