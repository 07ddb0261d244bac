"""The server refuses in one line what it cannot do safely or at all."""

import errno
import socket
import sys
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from config.values import networks
from streaming.web import server
from streaming.web.server import (
    PEER_TIMEOUT_MS,
    SEND_BUFFER_BYTES,
    DrainingServer,
    StreamingHandler,
    listening_socket,
    loopback_sockets,
)


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """The command sets how often the threads of its process take turns, and this one is not its."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])  # noqa: S104
def test_other_hosts_than_loopback_need_an_https_origin(host, settings):
    settings.COOKIES_SECURE = False

    with pytest.raises(CommandError, match="PUBLIC_ORIGIN") as refusal:
        call_command("serve", host=host)

    assert "\n" not in str(refusal.value)


# At the second somebody else's program would answer whoever asks for localhost.
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_taken_port_is_told_in_one_line(address):
    with listening_socket(address, 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandError) as refusal:
            call_command("serve", port=port)

    assert str(refusal.value) == f"Cannot listen on localhost:{port}: Address already in use."


def test_container_of_which_only_loopback_is_published_may_listen_on_all_addresses(settings):
    settings.LOCAL_GATEWAY = "172.18.0.1"
    with listening_socket("127.0.0.1", 0) as taken:
        taken.listen()

        with pytest.raises(CommandError, match="Address already in use"):
            call_command("serve", host="0.0.0.0", port=taken.getsockname()[1])  # noqa: S104


def test_impossible_port_is_told_in_one_line():
    with pytest.raises(CommandError, match="Cannot listen on localhost:99999") as refusal:
        call_command("serve", port=99999)

    assert "\n" not in str(refusal.value)


def test_connections_inherit_small_buffers_and_a_limit_for_silent_peers():
    with listening_socket("127.0.0.1", 0) as listener:
        listener.listen()
        with (
            socket.create_connection(listener.getsockname()),
            listener.accept()[0] as connection,
        ):
            # The kernel doubles the size for its own bookkeeping.
            sent = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            silent = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            at_once = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert sent == 2 * SEND_BUFFER_BYTES
    assert silent == PEER_TIMEOUT_MS
    assert at_once


def test_ipv6_loopback_can_be_listened_on():
    with listening_socket("::1", 0) as listener:
        assert listener.family is socket.AF_INET6


def test_localhost_is_listened_on_by_both_of_its_addresses():
    listeners = loopback_sockets(0)

    addresses = {listener.getsockname()[:2] for listener in listeners}
    for listener in listeners:
        listener.close()
    [port] = {port for _, port in addresses}
    assert addresses == {("127.0.0.1", port), ("::1", port)}


def test_machine_without_ipv6_is_served_all_the_same(monkeypatch):
    def bind(host, port):
        if host == "::1":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return listening_socket(host, port)

    monkeypatch.setattr(server, "listening_socket", bind)

    [listener] = loopback_sockets(0)

    assert listener.getsockname()[0] == "127.0.0.1"
    listener.close()


@pytest.mark.parametrize("is_behind_proxy", [True, False])
def test_forwarding_headers_count_only_behind_a_proxy(is_behind_proxy):
    built = DrainingServer(StreamingHandler(), proxy_headers=is_behind_proxy)

    assert built.config.proxy_headers is is_behind_proxy


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("127.0.0.1", ("203.0.113.5", "https")),
        ("127.8.9.10", ("203.0.113.5", "https")),
        ("::1", ("203.0.113.5", "https")),
        ("::ffff:127.0.0.1", ("203.0.113.5", "https")),
        ("192.168.1.2", ("192.168.1.2", "http")),
        ("::ffff:192.168.1.2", ("::ffff:192.168.1.2", "http")),
        ("2001:db8::1", ("2001:db8::1", "http")),
    ],
)
async def test_only_a_proxy_on_this_machine_is_believed(monkeypatch, peer, seen):
    # What uvicorn would believe everybody for.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    assert await seen_behind(peer, b"10.0.0.1, 203.0.113.5") == seen


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "seen"),
    [
        pytest.param("169.254.8.1", b"203.0.113.5", ("203.0.113.5", "https"), id="it says"),
        pytest.param(
            *["::ffff:169.254.8.1", b"203.0.113.5", ("203.0.113.5", "https")],
            id="by a socket of both kinds",
        ),
        pytest.param(
            *["169.254.8.1", b"198.51.100.7, 203.0.113.5", ("203.0.113.5", "https")],
            id="what the visitor said before it is not believed",
        ),
        pytest.param("169.255.0.1", b"203.0.113.5", ("169.255.0.1", "http"), id="a neighbour"),
        pytest.param("127.0.0.1", b"203.0.113.5", ("203.0.113.5", "https"), id="this machine"),
    ],
)
async def test_proxies_that_are_named_are_believed_as_well(peer, forwarded_for, seen, settings):
    settings.TRUSTED_PROXIES = networks("TRUSTED_PROXIES", "169.254.0.0/16")

    assert await seen_behind(peer, forwarded_for) == seen


async def seen_behind(peer: str, forwarded_for: bytes) -> tuple[str, str]:
    """From where, and how, a request came that `peer` passed on as one by https."""
    scopes = []

    async def application(scope, receive, send):
        scopes.append((scope["client"][0], scope["scheme"]))

    config = DrainingServer(application, proxy_headers=True).config
    config.load()
    headers = [(b"x-forwarded-for", forwarded_for), (b"x-forwarded-proto", b"https")]

    await config.loaded_app(
        {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}, None, None
    )

    [scope] = scopes
    return scope
