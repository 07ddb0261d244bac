"""A container asks itself how it is."""

import socket
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from config import probe


class Health(BaseHTTPRequestHandler):
    """Well at one address, and at no other."""

    def do_GET(self) -> None:
        self.send_response(
            HTTPStatus.OK if self.path == "/readyz" else HTTPStatus.SERVICE_UNAVAILABLE
        )
        self.end_headers()
        self.wfile.write(b"its own words")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it would be between the tests' own words."""


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_who_answers_well_is_well(address, capsys):
    assert probe.main(f"{address}/readyz") == 0
    assert capsys.readouterr().out == "its own words\n"


def test_who_answers_otherwise_is_not(address, capsys):
    assert probe.main(f"{address}/elsewhere") == 1
    assert capsys.readouterr().out == "503 its own words\n"


def test_who_does_not_answer_is_not(nobody):
    assert probe.main(nobody) == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_proxy_to_the_exchange_is_not_asked(address, nobody, monkeypatch, name):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, nobody)

    assert probe.main(f"{address}/readyz") == 0
