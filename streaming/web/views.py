"""The stream, and the probes."""

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_safe

from accounts.errors import NotSignedIn
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
