import pytest
from django.test import RequestFactory

from accounts import relying_party
from accounts.relying_party import RelyingParty


def asked(host: str):
    port = "8000" if host.endswith(":8000") else "80"
    return RequestFactory().get("/", HTTP_HOST=host, SERVER_PORT=port)


@pytest.mark.parametrize(
    ("public", "host", "expected"),
    [
        (None, "localhost", RelyingParty("localhost", ("http://localhost",))),
        (None, "localhost:8000", RelyingParty("localhost", ("http://localhost:8000",))),
        (
            None,
            "127.0.0.1:8000",
            RelyingParty("localhost", ("http://localhost:8000", "http://127.0.0.1:8000")),
        ),
        (
            None,
            "[::1]:8000",
            RelyingParty("localhost", ("http://localhost:8000", "http://[::1]:8000")),
        ),
        (None, "[::1]", RelyingParty("localhost", ("http://localhost", "http://[::1]"))),
        (
            "https://kalshi.example",
            "127.0.0.1:8000",
            RelyingParty("kalshi.example", ("https://kalshi.example",)),
        ),
        (
            "https://kalshi.example:8443",
            "kalshi.example:8443",
            RelyingParty("kalshi.example", ("https://kalshi.example:8443",)),
        ),
        (
            "https://192.0.2.7",
            "192.0.2.7",
            RelyingParty("192.0.2.7", ("https://192.0.2.7",)),
        ),
        (
            "https://[2001:db8::7]:8443",
            "[2001:db8::7]:8443",
            RelyingParty("[2001:db8::7]", ("https://[2001:db8::7]:8443",)),
        ),
        (
            "http://[::1]:9000",
            "[::1]:9000",
            RelyingParty("localhost", ("http://localhost:9000", "http://[::1]:9000")),
        ),
    ],
)
def test_relying_party_is_the_server_by_its_name(settings, public, host, expected):
    settings.PUBLIC_ORIGIN = public

    assert relying_party.relying_party(asked(host)) == expected


@pytest.mark.parametrize(
    ("public", "host", "is_possible", "better"),
    [
        (None, "localhost:8000", True, None),
        (None, "127.0.0.1:8000", False, "http://localhost:8000"),
        (None, "[::1]:8000", False, "http://localhost:8000"),
        (None, "[::1]", False, "http://localhost"),
        ("https://kalshi.example", "kalshi.example", True, None),
        # By another of its names the page is none of the relying party's.
        ("https://kalshi.example", "localhost:8000", False, "https://kalshi.example"),
        ("https://kalshi.example", "127.0.0.1:8000", False, "https://kalshi.example"),
        # No browser makes passkeys for an address, and there is no better place.
        ("https://192.0.2.7", "192.0.2.7", False, None),
        ("https://[2001:db8::7]:8443", "[2001:db8::7]:8443", False, None),
        ("http://127.0.0.1:9000", "127.0.0.1:9000", False, "http://localhost:9000"),
    ],
)
def test_page_says_where_passkeys_are_possible(settings, public, host, is_possible, better):
    settings.PUBLIC_ORIGIN = public
    settings.ALLOWED_HOSTS = ["*"]

    assert relying_party.is_possible(asked(host)) == is_possible
    assert relying_party.better_origin(asked(host)) == better


@pytest.mark.parametrize(
    ("authority", "host", "port"),
    [
        ("kalshi.example", "kalshi.example", ""),
        ("kalshi.example:443", "kalshi.example", ":443"),
        ("127.0.0.1", "127.0.0.1", ""),
        ("127.0.0.1:8000", "127.0.0.1", ":8000"),
        ("[::1]", "[::1]", ""),
        ("[::1]:8000", "[::1]", ":8000"),
        ("[2001:db8::7]", "[2001:db8::7]", ""),
        ("", "", ""),
    ],
)
def test_host_and_port_are_told_apart(authority, host, port):
    assert relying_party._host_and_port(authority) == (host, port)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True),
        ("[::1]", True),
        ("192.0.2.7", True),
        ("localhost", False),
        ("kalshi.example", False),
        ("1.example", False),
    ],
)
def test_address_is_no_name(host, is_one):
    assert relying_party._is_address(host) == is_one
