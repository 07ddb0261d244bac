import httpx
import pytest
from websockets.proxy import parse_proxy

from kalshi.environments import Environment, WrongAddress

REST = "https://exchange.example/trade-api/v2"
WS = "wss://stream.exchange.example/trade-api/ws/v2"


def test_rest_and_websocket_may_have_different_hosts():
    environment = Environment("production", REST, WS)

    assert (environment.api_base, environment.ws_url) == (REST, WS)


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1:8700", "127.3.2.1", "[::1]:8700"])
def test_loopback_needs_no_tls(host):
    environment = Environment("sandbox", f"http://{host}/trade-api/v2", f"ws://{host}/ws")

    assert environment.name == "sandbox"


def test_sandbox_may_be_a_neighbour_of_the_container():
    environment = Environment("sandbox", "http://sandbox:8090/trade-api/v2", "ws://sandbox:8090/ws")

    assert environment.name == "sandbox"


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("production", "sandbox:8090"),
        ("demo", "sandbox:8090"),
        ("sandbox", "sandbox.example:8090"),
        # An address of the internet, written as one number.
        ("sandbox", "3221226219:8090"),
        ("sandbox", "0xc0000201:8090"),
    ],
)
def test_no_other_goes_without_tls(name, host):
    with pytest.raises(WrongAddress):
        Environment(name, f"http://{host}/trade-api/v2", f"ws://{host}/ws")


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
        ("https://exchange.example:99999/v2", WS),
        ("https://exchange.example:port/v2", WS),
        (REST, "wss://[::1/ws"),
        (REST, "wss://exchange example/ws"),
        (REST + "\n", WS),
    ],
)
def test_any_other_address_is_refused(api_base, ws_url):
    with pytest.raises(ValueError, match="must"):
        Environment("production", api_base, ws_url)


def test_password_in_an_address_is_not_repeated():
    with pytest.raises(ValueError, match="nothing more") as refusal:
        Environment("production", "https://user:hunter2@exchange.example/v2", WS)

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "address", ["https://user:hunter2@exchange.example\uff03/v2", "https://[hunter2/v2"]
)
def test_address_that_cannot_be_taken_apart_is_not_repeated(address):
    with pytest.raises(ValueError, match="nothing more") as refusal:
        Environment("production", address, WS)

    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__context__ is None


PROXIES = [
    "http://proxy.example:3128",
    "http://proxy.example:3128/",
    "https://proxy.example",
    "http://127.0.0.1:3128",
    "http://[::1]:3128",
    "http://alice:s%40cret:too@proxy_1.example:8080",
]


@pytest.mark.parametrize("proxy", PROXIES)
def test_proxy_is_known_to_both_clients(proxy):
    environment = Environment("production", REST, WS, proxy)

    assert environment.api_proxy == environment.ws_proxy == proxy
    assert httpx.Proxy(proxy).url.host == parse_proxy(proxy).host
    assert (httpx.Proxy(proxy).auth or (None, None)) == (
        parse_proxy(proxy).username,
        parse_proxy(proxy).password,
    )


@pytest.mark.parametrize(
    ("api_base", "ws_url", "proxies"),
    [
        ("http://127.0.0.1:1/v2", WS, (None, PROXIES[0])),
        ("https://[::1]/v2", "ws://localhost/ws", (None, None)),
        (REST, "wss://127.9.9.9/ws", (PROXIES[0], None)),
    ],
)
def test_loopback_is_reached_without_the_proxy(api_base, ws_url, proxies):
    environment = Environment("demo", api_base, ws_url, PROXIES[0])

    assert (environment.api_proxy, environment.ws_proxy) == proxies


def test_proxy_does_not_show():
    environment = Environment("demo", REST, WS, "http://alice:hunter2@proxy.example")

    assert "hunter2" not in repr(environment)


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "hunter2",
        "hunter2.example:3128",
        "socks5://hunter2.example",
        "HTTP://hunter2.example",
        "http://",
        "http://:3128",
        "http://hunter2.example/path",
        "http://hunter2.example?",
        "http://hunter2.example#",
        "http://hunter2.example:",
        "http://hunter2.example:port",
        "http://hunter2.example:65536",
        "http://hunter2@proxy.example",
        "http://:hunter2@proxy.example",
        "http://a%3Ab:hunter2@proxy.example",
        "http://alice:hunter2%ff@proxy.example",
        "http://alice:hunter2\n@proxy.example",
        "http://hunter2.example\n",
        "http://hunter2 example",
        "http://hünter2.example",
        "http://hunter2..example",
        "http://[hunter2]",
        "http://[::1",
        "http://alice:hunter2@a\uff03b",
    ],
    ids=repr,
)
def test_proxy_of_another_form_is_refused_and_not_repeated(proxy):
    with pytest.raises(ValueError, match=r"^A proxy must read http://host:port or ") as refusal:
        Environment("production", REST, WS, proxy)

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("api_base", "ws_url", "field"), [("", WS, "api_base"), (REST, "", "ws_url")]
)
def test_refusal_tells_which_address_it_means(api_base, ws_url, field):
    with pytest.raises(WrongAddress) as refusal:
        Environment("production", api_base, ws_url)

    assert refusal.value.field == field
