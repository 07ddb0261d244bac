import pytest

from kalshi.environments import Environment

REST = "https://exchange.example/trade-api/v2"
WS = "wss://stream.exchange.example/trade-api/ws/v2"


def test_rest_and_websocket_may_have_different_hosts():
    environment = Environment("production", REST, WS)

    assert (environment.api_base, environment.ws_url) == (REST, WS)


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1:8700", "127.3.2.1", "[::1]:8700"])
def test_loopback_needs_no_tls(host):
    environment = Environment("sandbox", f"http://{host}/trade-api/v2", f"ws://{host}/ws")

    assert environment.name == "sandbox"


@pytest.mark.parametrize(
    ("api_base", "ws_url"),
    [
        ("http://exchange.example/trade-api/v2", WS),
        (REST, "ws://exchange.example/ws"),
        (REST, "https://exchange.example/ws"),
        ("wss://exchange.example/trade-api/v2", WS),
        ("http://127.0.0.1.example/v2", WS),
        ("http://localhost.example/v2", WS),
        ("https:///trade-api/v2", WS),
        ("exchange.example", WS),
        ("", WS),
        ("https://user@exchange.example/v2", WS),
        (REST + "?key=1", WS),
        (REST, WS + "#part"),
    ],
)
def test_any_other_address_is_refused(api_base, ws_url):
    with pytest.raises(ValueError, match="must"):
        Environment("production", api_base, ws_url)


def test_password_in_an_address_is_not_repeated():
    with pytest.raises(ValueError, match="nothing more") as refusal:
        Environment("production", "https://user:hunter2@exchange.example/v2", WS)

    assert "hunter2" not in str(refusal.value)
