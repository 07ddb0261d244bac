import pytest

from config.errors import WrongSetting
from config.public_origin import Origin, public_origin, refuse_debug


def origin(text: str) -> Origin | None:
    return public_origin("PUBLIC_ORIGIN", text)


def test_nothing_is_no_origin():
    assert origin("") is None


@pytest.mark.parametrize(
    ("text", "as_browsers_send_it", "host"),
    [
        *[
            (text, "https://kalshi.home.example", "kalshi.home.example")
            for text in (
                "https://kalshi.home.example",
                "https://kalshi.home.example/",
                "HTTPS://Kalshi.Home.EXAMPLE",
                "https://kalshi.home.example:443",
            )
        ],
        ("https://kalshi.home.example:8443", "https://kalshi.home.example:8443", None),
        ("https://kalshi.home.example:08443", "https://kalshi.home.example:8443", None),
        ("https://kalshi.home.example:80", "https://kalshi.home.example:80", None),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", None),
        ("https://myserver", "https://myserver", "myserver"),
        ("https://192.168.1.7", "https://192.168.1.7", "192.168.1.7"),
        ("https://[2001:DB8:0:0::7]:8443", "https://[2001:db8::7]:8443", "[2001:db8::7]"),
        ("http://localhost:8000", "http://localhost:8000", "localhost"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1"),
        ("http://[::1]:8000", "http://[::1]:8000", "[::1]"),
    ],
)
def test_origin_is_written_as_browsers_send_it(text, as_browsers_send_it, host):
    found = origin(text)

    assert str(found) == as_browsers_send_it
    assert found.host == (host or found.host)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        pytest.param("https://*", "no wildcard", id="wildcard"),
        pytest.param("https://*.hidden.example", "no wildcard", id="wildcard below"),
        pytest.param("*", "begin with https://", id="wildcard alone"),
        pytest.param("https://hidden@kalshi.example", "user name", id="user"),
        pytest.param("https://u:hidden@kalshi.example", "user name", id="credentials"),
        pytest.param("https://kalshi.example/hidden", "no path", id="path"),
        pytest.param("https://kalshi.example//", "no path", id="two slashes"),
        pytest.param("https://kalshi.example?hidden", "query", id="query"),
        pytest.param("https://kalshi.example#hidden", "fragment", id="fragment"),
        pytest.param("https://", "have a host", id="empty host"),
        pytest.param("https:///", "have a host", id="empty host, slash"),
        pytest.param("https://:8443", "have a host", id="port alone"),
        pytest.param("https://hidden example", "white space", id="blank"),
        pytest.param(" https://hidden.example", "white space", id="blank in front"),
        pytest.param("https://hidden.example\n", "white space", id="line end"),
        pytest.param("https://hidden\0.example", "white space", id="NUL"),
        pytest.param("https://hidden.example\\", "backslash", id="backslash"),
        pytest.param("https:\\\\hidden.example", "backslash", id="backslashes"),
        pytest.param("https://kalshi.example:", "port from 1", id="empty port"),
        pytest.param("https://kalshi.example:0", "port from 1", id="port 0"),
        pytest.param("https://kalshi.example:65536", "port from 1", id="port out of range"),
        pytest.param("https://kalshi.example:hidden", "port from 1", id="port in words"),
        pytest.param("https://kalshi.example:-1", "port from 1", id="negative port"),
        pytest.param("https://kalshi.example:1:2", "one host", id="two ports"),
        pytest.param("https://kalshi.example:٨٠", "port from 1", id="another script's port"),
        pytest.param("https://2001:db8::7", "brackets", id="IPv6 without brackets"),
        pytest.param("https://[::1", "IPv6", id="bracket not closed"),
        pytest.param("https://::1]", "IPv6", id="bracket not opened"),
        pytest.param("https://[hidden]", "IPv6", id="no address in brackets"),
        pytest.param("https://[fe80::1%25eth0]", "IPv6", id="zone"),
        pytest.param("https://[]", "IPv6", id="empty brackets"),
        pytest.param("https://[::1]hidden", "IPv6", id="more after brackets"),
        pytest.param("https://.hidden.example", "have a host", id="leading dot"),
        pytest.param("https://hidden.example.", "have a host", id="trailing dot"),
        pytest.param("https://hidden..example", "have a host", id="empty label"),
        pytest.param("https://-hidden.example", "have a host", id="leading hyphen"),
        pytest.param("https://hid_den.example", "have a host", id="underscore"),
        pytest.param(f"https://{'a' * 64}.example", "have a host", id="long label"),
        pytest.param(f"https://{'a.' * 127}example", "have a host", id="long host"),
        pytest.param("https://a.example,https://b.example", "no path", id="two of them"),
        pytest.param("https://10.0.1", "four numbers", id="short address"),
        pytest.param("https://256.0.0.1", "four numbers", id="no address"),
        pytest.param("https://0x7f000001", "four numbers", id="hexadecimal address"),
        pytest.param("kalshi.hidden.example", "begin with https://", id="no scheme"),
        pytest.param("https:hidden.example", "begin with https://", id="no slashes"),
        pytest.param("ftp://hidden.example", "begin with https://", id="another scheme"),
        pytest.param("http://hidden.example", "be https", id="http"),
        pytest.param("http://192.168.1.7", "be https", id="http in the network"),
        pytest.param("http://localhost.hidden.example", "be https", id="like loopback"),
        pytest.param("http://127.0.0.2", "be https", id="loopback of another name"),
    ],
)
def test_any_other_text_is_refused_with_the_remedy(text, remedy):
    with pytest.raises(WrongSetting, match=f"PUBLIC_ORIGIN must .*{remedy}") as refusal:
        origin(text)

    assert "hidden" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "punycode"),
    [
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://BÜCHER.example:8443", "xn--bcher-kva.example"),
        ("https://日本.jp", "xn--wgv71a.jp"),
    ],
)
def test_host_in_other_letters_is_told_as_browsers_send_it(text, punycode):
    with pytest.raises(WrongSetting, match=f"in ASCII, .*: its host is {punycode}"):
        origin(text)


@pytest.mark.parametrize("host", ["☃.example", "\udcff.example"])
def test_host_that_no_browser_sends_is_refused(host):
    with pytest.raises(WrongSetting, match=r"in ASCII\.$"):
        origin(f"https://{host}")


def test_debugging_in_front_of_others_is_refused():
    with pytest.raises(WrongSetting, match="DEBUG must be false when PUBLIC_ORIGIN"):
        refuse_debug(origin("https://kalshi.home.example"), debug=True)


@pytest.mark.parametrize(
    ("text", "debug"),
    [("", True), ("http://localhost:8000", True), ("https://kalshi.home.example", False)],
)
def test_debugging_is_for_this_machine_alone(text, debug):
    refuse_debug(origin(text), debug=debug)
