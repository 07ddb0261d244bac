"""The pages: sign-in, dashboard, settings."""

from django.conf import settings
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts import relying_party, sessions, sight, ways_in
from accounts.addresses import is_direct_loopback
from accounts.models import EnvironmentName, Session
from accounts.schemas import account_out


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """`GET /`: the dashboard with a session, the sign-in without."""
    session = sessions.of_request(request)
    if session is None:
        return _render(request, "sign_in.html", _sign_in(request))
    return _render(request, "dashboard.html", _dashboard(request, session))


@require_safe
@ensure_csrf_cookie
def settings_page(request: HttpRequest) -> HttpResponse:
    """`GET /settings`: ways in, accounts and keys, sessions; the sign-in without a session."""
    session = sessions.of_request(request)
    if session is None:
        return redirect("/?reason=expired&next=/settings")
    return _render(request, "settings.html", _settings(request, session))


def _dashboard(request: HttpRequest, session: Session) -> dict[str, object]:
    seen = sight.of(session)
    return {
        "accounts": [account_out(account, seen) for account in seen.accounts],
        "default": seen.default,
        "of": session.of,
        "user_id": session.user_id,
        "session_id": session.pk,
        "mark_price": settings.MARK_PRICE,
        "has_way_in": ways_in.exist(session.user),
        "sandbox_control": _sandbox_control(request),
    }


def _settings(request: HttpRequest, session: Session) -> dict[str, object]:
    return _doors(request) | {
        "user": session.user,
        "of": session.of,
        "is_staff": session.user.is_staff,
        "password_rules": password_validation.password_validators_help_texts(),
        "recovered": "recovered" in request.GET,
    }


def _sign_in(request: HttpRequest) -> dict[str, object]:
    return _doors(request) | {
        "reason": request.GET.get("reason"),
        "is_invited": "invitation" in request.GET,
    }


def _doors(request: HttpRequest) -> dict[str, object]:
    """What a form for a key offers, and whether passkeys are possible at this address."""
    offered = [
        {"name": name, "label": EnvironmentName(name).label}
        for name in settings.KALSHI_ENVIRONMENTS
    ]
    host = relying_party.relying_party(request).host
    return {
        "environments": offered,
        "one_click_sandbox": "sandbox" in settings.KALSHI_ENVIRONMENTS
        and is_direct_loopback(request),
        "sandbox_control": _sandbox_control(request),
        "passkeys_possible": relying_party.is_possible(request),
        "passkeys_origin": relying_party.better_origin(request),
        "passkeys_host": host,
        "has_orphans": relying_party.orphans(host).exists(),
    }


def _sandbox_control(request: HttpRequest) -> str | None:
    # Where only this machine can reach it, others need no link.
    return settings.SANDBOX_CONTROL_URL if is_direct_loopback(request) else None


def _render(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    # Another person's page, or yesterday's, must not come out of a cache.
    response["Cache-Control"] = "no-store"
    return response
