"""The stream, the page that shows it, and the probes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_safe

from accounts import sessions
from accounts.addresses import is_direct_loopback
from accounts.errors import NotSignedIn
from accounts.models import Credential, EnvironmentName
from streaming.web import health
from streaming.web.asgi import streaming_of


# Exempt because it changes nothing, and POST is to be told that it is no method for this. Nor is
# HEAD: it would open a stream that nobody reads.
@csrf_exempt
@require_GET
async def positions_stream(request: HttpRequest) -> HttpResponseBase:
    """`GET /sse/positions`: the signed-in account's positions as Server-Sent Events."""
    streaming = streaming_of(request)
    session = await streaming.admission.session_of(request)
    if session is None:
        raise NotSignedIn
    streaming.seat.take(session.pk)
    return StreamingHttpResponse(
        streaming.hub.events(session.account_id, session.pk),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """`GET /`: the dashboard with a session, the sign-in without."""
    session = sessions.of_request(request)
    if session is None:
        return _render(request, "sign_in.html", _sign_in(request))
    credential = Credential.objects.filter(account=session.account).newest_first().first()
    return _render(
        request,
        "dashboard.html",
        {
            "environment": session.account.environment,
            "api_key_id_hint": credential.api_key_id_hint if credential else None,
            "mark_price": settings.MARK_PRICE,
        },
    )


def _sign_in(request: HttpRequest) -> dict[str, object]:
    offered = [
        {"name": name, "label": EnvironmentName(name).label}
        for name in settings.KALSHI_ENVIRONMENTS
    ]
    return {
        "environments": offered,
        "one_click_sandbox": "sandbox" in settings.KALSHI_ENVIRONMENTS
        and is_direct_loopback(request),
        "reason": request.GET.get("reason"),
    }


def _render(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    # Another person's page, or yesterday's, must not come out of a cache.
    response["Cache-Control"] = "no-store"
    return response


@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process is up."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether it can serve live figures, else the reasons why not."""
    reasons = health.unreadiness()
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})
