"""A worker's port answers a whole small request, and nothing else."""

import asyncio

import pytest

from streaming.worker import port
from streaming.worker.port import answered, listening

METRICS = b"a 1\n"


def ask(head: str, peer: str = "127.0.0.1", token: str | None = None) -> tuple[int, bytes]:
    response = answered(head.encode("latin-1"), peer, token=token, metrics=lambda: METRICS)
    start, _, body = response.partition(b"\r\n\r\n")
    return int(start.split()[1]), body


def request(target: str = "/metrics", method: str = "GET", **headers: str) -> str:
    lines = [f"{method} {target} HTTP/1.1", "Host: worker:9464"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""])


@pytest.mark.parametrize("target", ["/metrics", "/metrics?name[]=up"])
def test_metrics_are_told_to_this_machine(target):
    assert ask(request(target)) == (200, METRICS)


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.0.0.7", {}),
        ("2001:db8::1", {}),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.7"}),
        ("127.0.0.1", {"VIA": "a proxy"}),
    ],
)
def test_and_to_no_other(peer, headers):
    status, body = ask(request(**headers), peer)

    assert status == 403
    assert METRICS not in body


def test_token_opens_them_to_any():
    assert ask(request(Authorization="Bearer good"), "10.0.0.7", "good") == (200, METRICS)
    assert ask(request(AUTHORIZATION="Bearer good"), "10.0.0.7", "good") == (200, METRICS)
    assert ask(request(Authorization="Bearer bad"), "10.0.0.7", "good")[0] == 401
    assert ask(request(), "127.0.0.1", "good")[0] == 401


def test_life_is_told_to_anybody():
    assert ask(request("/healthz"), "10.0.0.7", "good") == (200, b'{"status": "ok"}')


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("/"), 404),
        (request("/admin/"), 404),
        (request(method="POST"), 405),
        ("nonsense\r\n\r\n", 404),
        ("\r\n\r\n", 404),
        ("GET /metrics\r\n\r\n", 200),
        ("\xff\xfe /metrics HTTP/1.1\r\n:\r\n\r\n", 405),
    ],
)
def test_other_requests_are_refused(head, status):
    assert ask(head)[0] == status


def test_head_has_no_body():
    assert ask(request(method="HEAD")) == (200, b"")


async def exchange(number: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def open_port(number: int = 0):
    return listening("127.0.0.1", number, token=None, metrics=lambda: METRICS)


async def test_port_answers_as_long_as_it_is_open():
    async with open_port() as number:
        response = await exchange(number, request().encode())

    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert response.endswith(METRICS)
    with pytest.raises(OSError):  # noqa: PT011  # whichever way the system refuses
        await exchange(number, b"")


async def test_taken_port_is_told_and_no_failure(caplog):
    async with open_port() as number, open_port(number) as second:
        assert second is None

    assert "metrics port not opened" in caplog.text


async def test_head_without_an_end_is_not_read_on():
    async with open_port() as number:
        response = await exchange(number, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000)

    assert response == b""


async def test_who_says_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(port, "SECONDS", 0.05)

    async with open_port() as number:
        response = await exchange(number, b"GET /metrics")

    assert response == b""


async def test_who_hold_all_places_do_not_get_more_of_them(monkeypatch):
    monkeypatch.setattr(port, "AT_ONCE", 1)

    async with open_port() as number:
        _, silent = await asyncio.open_connection("127.0.0.1", number)
        refused = await exchange(number, request().encode())
        silent.close()

    assert refused == b""
