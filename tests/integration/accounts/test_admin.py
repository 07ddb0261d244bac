import html
import logging
import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.utils import timezone

from accounts import one_time_links, sign_in_load
from accounts.encryption import Secret
from accounts.models import Credential, OneTimeLink, Session, SignInTry
from accounts.turns import Turns
from tests.integration.accounts.conftest import make_credential
from tests.integration.visitors import (
    key_session,
    make_account,
    make_user,
    person_session,
    session_of,
    visitor_with,
)

pytestmark = pytest.mark.django_db

CREDENTIALS = "/admin/accounts/credential/"
LOGIN = "/admin/login/?next=/admin/"
RIGHT = "right password"


@pytest.fixture
def credential():
    return make_credential(
        api_key_id="0f0e0d0c-1111-2222-3333-44445555aa1b",
        private_key=Secret.seal("very private"),
    )


def test_list_of_credentials_shows_their_state(admin_client, credential):
    page = admin_client.get(CREDENTIALS).content.decode()

    assert "…aa1b" in page
    assert "Usable" in page
    assert str(credential.account) in page


def test_page_of_a_credential_shows_its_state_and_no_secret(admin_client, credential):
    page = admin_client.get(f"{CREDENTIALS}{credential.pk}/change/").content.decode()

    assert "…aa1b" in page
    assert "Checked at" in page
    assert "very private" not in page
    assert credential.private_key.sealed.decode() not in page
    assert "rivate key" not in page


@pytest.mark.parametrize("query", ["q=5555aa1b", "status__exact=usable", "environment__exact=demo"])
def test_credentials_can_be_searched_and_filtered(admin_client, credential, query):
    other = make_credential(
        make_account(environment="production"),
        api_key_id="other-cccc",
        status="refused",
        refused_at=credential.checked_at,
    )

    page = admin_client.get(f"{CREDENTIALS}?{query}").content.decode()

    assert "…aa1b" in page
    assert other.api_key_id_hint not in page


def test_credential_of_a_lost_encryption_key_does_not_break_the_pages(
    admin_client, credential, settings
):
    settings.ENCRYPTION_SECRET_KEY = [Fernet.generate_key().decode()]

    listed = admin_client.get(CREDENTIALS)
    shown = admin_client.get(f"{CREDENTIALS}{credential.pk}/change/")

    assert listed.status_code == 200
    assert shown.status_code == 200


@pytest.mark.parametrize("model", ["account", "credential", "session"])
def test_nothing_can_be_added(admin_client, model):
    assert admin_client.get(f"/admin/accounts/{model}/add/").status_code == 403


def test_credential_cannot_be_changed(admin_client, credential):
    response = admin_client.post(f"{CREDENTIALS}{credential.pk}/change/", {"status": "refused"})

    assert response.status_code == 403


@pytest.mark.parametrize("model", ["user", "account", "session"])
def test_what_only_its_person_may_delete_is_looked_at_alone(admin_client, model):
    session, _ = key_session(make_account())
    row = {
        "user": session.user,
        "account": session.user.accounts.get(),
        "session": session,
    }[model]
    address = f"/admin/accounts/{model}/{row.pk}"

    changed = admin_client.post(f"{address}/change/", {"name": "Other"})
    deleted = admin_client.post(f"{address}/delete/", {"post": "yes"})

    assert (changed.status_code, deleted.status_code) == (403, 403)
    row.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_deleted_credential_is_announced(admin_client, credential, announced):
    admin_client.post(f"{CREDENTIALS}{credential.pk}/delete/", {"post": "yes"})

    assert not Credential.objects.exists()
    assert announced() == [("credentials_changed", str(credential.account_id))]


@pytest.mark.django_db(transaction=True)
def test_credentials_deleted_together_are_announced(admin_client, credential, announced):
    admin_client.post(
        CREDENTIALS,
        {"action": "delete_selected", "_selected_action": [credential.pk], "post": "yes"},
    )

    assert not Credential.objects.exists()
    assert announced() == [("credentials_changed", str(credential.account_id))]


def test_accounts_and_sessions_can_be_read(admin_client):
    session, token = key_session(make_account())

    pages = [
        admin_client.get(path)
        for path in (
            "/admin/accounts/account/",
            f"/admin/accounts/account/{session.user.accounts.get().pk}/change/",
            "/admin/accounts/user/",
            f"/admin/accounts/user/{session.user_id}/change/",
            "/admin/accounts/session/",
            f"/admin/accounts/session/{session.pk}/change/",
        )
    ]

    assert [page.status_code for page in pages] == [200] * 6
    assert token not in "".join(page.content.decode() for page in pages)


def test_search_of_accounts_by_key_id_finds_the_account(admin_client, credential):
    make_account(environment="production")

    page = admin_client.get("/admin/accounts/account/?q=5555aa1b").content.decode()

    assert "1 account" in page


@pytest.mark.django_db(transaction=True)
def test_session_that_staff_ends_is_announced(admin_client, announced):
    session, token = key_session(make_account())

    admin_client.post(
        "/admin/accounts/session/", {"action": "end_sessions", "_selected_action": [session.pk]}
    )

    assert session_of(token) is None
    assert Session.objects.get(pk=session.pk).ended_at
    assert announced() == [("session_ended", str(session.pk))]


@pytest.mark.django_db(transaction=True)
def test_staff_signs_somebody_out_everywhere(admin_client, announced):
    account = make_account()
    session, token = key_session(account)
    announced()

    admin_client.post(
        "/admin/accounts/user/", {"action": "sign_out", "_selected_action": [account.owner_id]}
    )

    assert session_of(token) is None
    assert announced() == [("session_ended", str(session.pk))]


def test_deactivated_user_is_signed_out_and_stays_out_until_activated(admin_client):
    account = make_account()
    _, token = key_session(account)
    chosen = {"_selected_action": [account.owner_id]}

    admin_client.post("/admin/accounts/user/", {"action": "deactivate"} | chosen)
    _, refused = key_session(account)
    was_signed_in = session_of(refused)
    admin_client.post("/admin/accounts/user/", {"action": "activate"} | chosen)

    assert session_of(token) is None
    assert was_signed_in is None
    assert session_of(refused)


@pytest.mark.django_db(transaction=True)
def test_accounts_of_who_is_deactivated_are_announced(admin_client, announced):
    first = make_account()
    second = make_account(first.owner)
    make_account()
    told = []

    # Once more changes nothing, and tells nobody.
    for action in ("deactivate", "deactivate", "activate", "activate"):
        admin_client.post(
            "/admin/accounts/user/", {"action": action, "_selected_action": [first.owner_id]}
        )
        told.append(announced())

    theirs = [("credentials_changed", str(account.pk)) for account in (first, second)]
    assert told == [theirs, [], theirs, []]


def test_links_of_who_is_deactivated_end_and_no_others(admin_client, admin_user):
    bob = make_user("bob", RIGHT, is_staff=True)
    one_time_links.invite(is_staff=True, made_by=bob)
    one_time_links.recovery(bob)
    one_time_links.invite(is_staff=False, made_by=admin_user)
    one_time_links.invite(is_staff=False)

    admin_client.post(
        "/admin/accounts/user/",
        {"action": "deactivate", "_selected_action": [bob.pk, admin_user.pk]},
    )

    assert {link.made_by for link in OneTimeLink.objects.all()} == {admin_user, None}


def test_staff_does_not_deactivate_itself(admin_client, admin_user):
    admin_client.post(
        "/admin/accounts/user/", {"action": "deactivate", "_selected_action": [admin_user.pk]}
    )

    assert admin_client.get("/admin/").status_code == 200


@pytest.fixture
def done(everything_logged):
    """What the log says that the staff did: who, what, and the rest of its fields."""

    def done() -> list[tuple]:
        records = [each for each in everything_logged.records if each.name == "accounts.staff_log"]
        return [(each.staff_id, each.message, fields_of(each)) for each in records]

    return done


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    names = ("users", "sessions", "for_staff")
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("sign_out", "users signed out"),
        ("deactivate", "users deactivated"),
        ("activate", "users activated"),
    ],
)
def test_what_is_done_to_people_is_logged(admin_client, admin_user, done, action, what):
    users = [make_user().pk, make_user().pk]

    admin_client.post("/admin/accounts/user/", {"action": action, "_selected_action": users})

    assert done() == [(admin_user.pk, what, {"users": users})]


def test_ending_of_sessions_is_logged(admin_client, admin_user, done):
    session, _ = key_session(make_account())

    admin_client.post(
        "/admin/accounts/session/", {"action": "end_sessions", "_selected_action": [session.pk]}
    )

    fields = {"users": [session.user_id], "sessions": [str(session.pk)]}
    assert done() == [(admin_user.pk, "sessions ended", fields)]


def test_invitation_is_logged_without_its_link(admin_user, done, everything_logged):
    staff = visitor_with(person_session(admin_user)[1])

    url = staff.post("invitations", {"staff": True}).json()["url"]

    assert done() == [(admin_user.pk, "invitation made", {"for_staff": True})]
    assert url.partition("=")[2] not in everything_logged.text


@pytest.mark.parametrize(
    "query",
    [
        "password__startswith=a",
        "password__regex=.",
        "handle__startswith=1",
        "created_at__year=99999",
    ],
)
def test_list_takes_no_filter_that_it_does_not_offer(admin_client, query):
    assert admin_client.get(f"/admin/accounts/user/?{query}").status_code == 400


# Who is let in


PAGES = [
    "/admin/",
    CREDENTIALS,
    "/admin/accounts/user/",
    "/admin/positions/position/",
    "/admin/jsi18n/",
    "/admin/password_change/",
    "/admin/nothing/",
]


def as_(session_and_token) -> Client:
    client = Client()
    client.cookies["session"] = session_and_token[1]
    return client


@pytest.mark.parametrize("path", PAGES)
def test_stranger_is_led_to_the_sign_in(client, path):
    response = client.get(path)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("path", [*PAGES, "/admin/login/"])
@pytest.mark.parametrize("way", ["key", "person"])
def test_admin_is_not_there_for_others(path, way):
    account = make_account()
    client = as_(key_session(account) if way == "key" else person_session(account.owner))

    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_key_of_the_staff_opens_no_page(path):
    client = as_(key_session(make_account(make_user("ada", RIGHT, is_staff=True))))

    response = client.get(path)

    assert response.status_code == 403
    assert "Sign in again" in response.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_proof_of_long_ago_opens_no_page(admin_client, path):
    Session.objects.update(proved_at=timezone.now() - timedelta(minutes=11))

    assert admin_client.get(path).status_code == 403


def test_nothing_is_done_for_a_proof_of_long_ago(admin_client, credential):
    Session.objects.update(proved_at=timezone.now() - timedelta(minutes=11))

    response = admin_client.post(f"{CREDENTIALS}{credential.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert Credential.objects.exists()


def test_logout_of_the_admin_ends_the_session(admin_client):
    token = admin_client.cookies["session"].value

    response = admin_client.post("/admin/logout/")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/login/")
    assert session_of(token) is None


def test_logout_of_the_admin_needs_no_fresh_proof(admin_client):
    Session.objects.update(proved_at=timezone.now() - timedelta(minutes=11))
    token = admin_client.cookies["session"].value

    response = admin_client.post("/admin/logout/")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/login/")
    assert session_of(token) is None


def test_logout_of_the_admin_needs_the_csrf_token(admin_client):
    admin_client.handler.enforce_csrf_checks = True

    response = admin_client.post("/admin/logout/")

    assert response.status_code == 403
    assert session_of(admin_client.cookies["session"].value)


def test_link_to_the_logout_of_the_admin_changes_nothing(admin_client):
    # Which any site can have.
    response = admin_client.get("/admin/logout/")

    assert "session" not in response.cookies
    assert session_of(admin_client.cookies["session"].value)


def test_password_is_changed_on_the_settings_page(admin_client):
    response = admin_client.get("/admin/password_change/")

    assert (response.status_code, response.headers["Location"]) == (302, "/settings")


# Signing in


@pytest.fixture
def staff():
    return make_user("ada", RIGHT, is_staff=True)


def sign_in(client, username="ada", password=RIGHT, **request):
    return client.post(LOGIN, {"username": username, "password": password}, **request)


def test_staff_signs_in(client, staff):
    response = sign_in(client)

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("way", ["key", "person"])
def test_form_that_asks_again_leads_to_the_page_that_was_asked_for(staff, way):
    account = make_account(staff)
    client = as_(key_session(account) if way == "key" else person_session(staff))
    Session.objects.filter(of="person").update(proved_at=timezone.now() - timedelta(minutes=11))
    asked = client.get("/admin/accounts/user/?is_staff__exact=1").content.decode()

    response = client.post(
        *filled_in(asked, username="ada", password=RIGHT),
        follow=True,
    )

    assert response.redirect_chain == [("/admin/accounts/user/?is_staff__exact=1", 302)]
    assert response.status_code == 200


def filled_in(page: str, **typed: str) -> tuple[str, dict[str, str]]:
    """Where the sign-in's form on the page goes, and what it sends."""
    (form,) = re.findall(r'<form action="([^"]*)" method="post" id="login-form">', page)
    (following,) = re.findall(r'<input type="hidden" name="next" value="([^"]*)">', page)
    return html.unescape(form), {"next": html.unescape(following), **typed}


def test_wrong_password_is_told_as_django_tells_it(client, staff):
    response = sign_in(client, password="wrong")

    assert response.status_code == 200
    assert "Please enter the correct username and password" in response.content.decode()


def test_user_who_is_no_staff_is_told_the_same(client, staff):
    make_user("bob", RIGHT)

    response = sign_in(client, "bob")

    assert response.status_code == 200
    assert "Please enter the correct username and password" in response.content.decode()


def test_ten_wrong_passwords_close_the_admins_door_too(client, staff):
    for number in range(10):
        sign_in(client, f"name {number}", "wrong")

    response = sign_in(client)

    page = response.content.decode()
    assert response.status_code == 429
    assert 540 <= int(response.headers["Retry-After"]) <= 600
    assert "no-store" in response.headers["Cache-Control"]
    assert "Too many failed tries from this address. Try again in" in page
    assert "session" not in client.cookies


def test_ten_wrong_passwords_from_anywhere_slow_the_name_in_the_admin(client, staff):
    for host in range(10):
        sign_in(client, password="wrong", REMOTE_ADDR=f"10.0.0.{host}")

    response = sign_in(client)

    assert response.status_code == 429
    assert "Too many failed tries with this name." in response.content.decode()


def test_admin_that_is_too_busy_for_a_password_says_so(client, staff, monkeypatch):
    monkeypatch.setattr(sign_in_load, "PASSWORDS", Turns(at_once=0, waiting=0, wait_seconds=1))

    response = sign_in(client)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "Try again in a few seconds" in response.content.decode()


@pytest.mark.parametrize(
    ("username", "password"),
    [("", "wrong"), ("ada", ""), ("a\0da", "wrong")],
    ids=["no name", "no password", "NUL"],
)
def test_what_the_form_itself_refuses_is_no_try(client, staff, username, password):
    response = sign_in(client, username, password)

    assert response.status_code == 200
    assert not SignInTry.objects.exists()
