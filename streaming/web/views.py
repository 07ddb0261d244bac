"""The stream, and the probes."""

import re

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_safe

from accounts.errors import InvalidRequest, NotSignedIn
from accounts.sight import Sight
from streaming.web import health
from streaming.web.asgi import streaming_of


# Exempt because it changes nothing, and POST is to be told that it is no method for this. Nor is
# HEAD: it would open a stream that nobody reads.
@csrf_exempt
@require_GET
async def positions_stream(request: HttpRequest) -> HttpResponseBase:
    """
    `GET /sse/positions`: positions as Server-Sent Events.

    Of the session's default account, of `?account=ID`, or of all that it sees (`?account=all`).
    """
    streaming = streaming_of(request)
    looked = await streaming.admission.look(request)
    if looked is None:
        raise NotSignedIn
    session, seen = looked
    wanted = _wanted(request.GET.get("account"), seen)
    streaming.seat.take(session.pk)
    return StreamingHttpResponse(
        streaming.hub.events(session, seen, wanted),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
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
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})
