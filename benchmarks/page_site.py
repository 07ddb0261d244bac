"""
The addresses of the stand-in server: `config.urls` with the stream and the API's answers in front.

Pages, middleware, static files and headers are the product's own; there is no database.
"""

from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie

from benchmarks.page_answers import ACCOUNT_OUT, answer_to
from benchmarks.page_play import Play
from config import urls

handler400 = handler403 = handler404 = handler500 = urls.handler404

# Set before the server starts.
playing: list[Play] = []


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The dashboard as `streaming.web.pages` renders it."""
    context = {
        "accounts": [ACCOUNT_OUT],
        "default": ACCOUNT_OUT,
        "of": "key",
        "user_id": 1,
        "mark_price": "bid",
        "has_way_in": True,
    }
    response = render(request, "dashboard.html", context)
    response["Cache-Control"] = "no-store"
    return response


@csrf_exempt
async def stream(request: HttpRequest) -> HttpResponseBase:
    """The stream as `streaming.web.views` answers it."""
    events: AsyncIterator[bytes] = playing[0].events()
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@csrf_exempt
async def answer(request: HttpRequest, call: str) -> HttpResponse:
    """A plausible document for a call of the API."""
    status, document = answer_to(playing[0], request.method or "GET", call)
    return JsonResponse(document, status=status)


@csrf_exempt
async def told(request: HttpRequest, wish: str = "") -> HttpResponse:
    """What the benchmark asks: to be silent, to go on; always answered with the counts."""
    play = playing[0]
    if wish == "hush":
        play.hush()
    elif wish == "go_on":
        play.go_on()
    return JsonResponse(play.counts)


urlpatterns = [
    path("", page),
    path("sse/positions", stream),
    path("api/v1/account/<path:call>", answer),
    path("bench", told),
    path("bench/<str:wish>", told),
    *urls.urlpatterns,
]
