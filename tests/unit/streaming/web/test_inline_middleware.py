"""The server does Django's middleware itself, and has no thread do it."""

from asgiref.sync import SyncToAsync
from django.conf import settings
from django.http import HttpResponse

from streaming.web.asgi import StreamingHandler
from streaming.web.inline_middleware import _IN_PLACE_OF, in_place_of_djangos


def test_each_of_djangos_that_takes_threads_has_one_in_its_place():
    named = list(settings.MIDDLEWARE)

    with in_place_of_djangos():
        taken = list(settings.MIDDLEWARE)

    assert [name for name in taken if name.startswith("django.")] == []
    assert [_IN_PLACE_OF.get(name, name) for name in named] == taken
    assert named == settings.MIDDLEWARE


async def test_request_passes_all_of_them_without_a_thread(monkeypatch, async_rf):
    async def view(request):
        return HttpResponse("told")

    async def by_a_thread(self, *args, **kwargs):
        raise AssertionError(f"{self.func} is done by a thread")

    handler = StreamingHandler()
    monkeypatch.setattr(handler, "resolve_request", lambda request: (view, (), {}))
    monkeypatch.setattr(SyncToAsync, "__call__", by_a_thread)

    response = await handler.get_response_async(async_rf.get("/"))

    assert response.content == b"told"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Length"] == "4"
