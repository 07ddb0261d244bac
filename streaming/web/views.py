"""The stream, and the probes."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_safe

from accounts.addresses import is_direct_loopback
from accounts.errors import InvalidRequest, MetricsElsewhere, MetricsToken, NotSignedIn
from accounts.sight import Sight
from streaming import exposition, scrapers
from streaming.web import deflated, health
from streaming.web.asgi import hub_of, streaming_of
from streaming.web.metrics import WebMetrics


# Exempt because it changes nothing, and POST is to be told that it is no method for this. Nor is
# HEAD: it would open a stream that nobody reads.
@csrf_exempt
@require_GET
async def positions_stream(request: HttpRequest) -> HttpResponseBase:
    """
    `GET /sse/positions`: positions as Server-Sent Events.

    Of the session's default account, of `?account=ID`, or of all that it sees (`?account=all`).
    Whoever takes gzip gets it as one gzip file, each event as soon as it is there.
    """
    streaming = streaming_of(request)
    looked = await streaming.admission.look(request, streaming.gone)
    if looked is None:
        raise NotSignedIn
    session, seen = looked
    wanted = _wanted(request.GET.get("account"), seen)
    streaming.seat.take(session.pk)
    takes_gzip = deflated.is_accepted(request.headers.get("Accept-Encoding", ""))
    streaming.stream = streaming.hub.stream(session, wanted, takes_gzip=takes_gzip)
    return StreamingHttpResponse(
        streaming.hub.events(streaming.stream, seen),
        content_type="text/event-stream",
        headers={
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if takes_gzip else {}),
        },
    )


def _wanted(account: str | None, seen: Sight) -> int | None:
    if account == "all":
        return None
    if account is not None and not re.fullmatch(r"[0-9]{1,19}", account):
        raise InvalidRequest("“account” must be an account's id, or all.")
    return seen.one(None if account is None else int(account)).pk


@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process is up."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether it can serve live figures, else the reasons why not."""
    reasons = health.unreadiness()
    if reasons:
        answer = JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
        # Django's own mark: it would log as an error what each start begins with.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer
    return JsonResponse({"status": "ready"})


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """How this process does, as Prometheus reads it; needs no database."""
    match scrapers.verdict(
        token=settings.METRICS_TOKEN,
        authorization=request.headers.get("Authorization"),
        is_direct_loopback=is_direct_loopback(request),
    ):
        case "wrong_token":
            raise MetricsToken
        case "elsewhere":
            raise MetricsElsewhere
    return HttpResponse(
        exposition.text(WebMetrics(hub_of(request))), content_type=exposition.CONTENT_TYPE
    )
