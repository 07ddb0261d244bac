"""A stream needs a server that announces its start, and says so."""

import pytest
from django.http import HttpRequest

from streaming.web.asgi import StreamingHandler, streaming_of


def test_request_under_wsgi_is_told_what_it_needs():
    with pytest.raises(RuntimeError, match="lifespan"):
        streaming_of(HttpRequest())


async def test_request_under_a_server_without_lifespan_is_told_what_it_needs(async_rf):
    with pytest.raises(RuntimeError, match=r"lifespan, such as manage\.py serve"):
        streaming_of(async_rf.get("/sse/positions"))


def test_handler_has_no_hub_before_the_server_starts():
    assert StreamingHandler().hub is None
