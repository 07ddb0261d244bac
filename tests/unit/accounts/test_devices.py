import pytest
from django.test import RequestFactory

from accounts.devices import Device, browser_name, device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
MOBILE_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
            "Firefox 144 on Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 on Linux",
        ),
        (
            "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0",
            "Firefox 144 on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) "
            f"{MOBILE_SAFARI} FxiOS/144.0 Mobile/15E148 Safari/605.1.15",
            "Firefox 144 on iPhone",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on Windows",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} "
            "Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on macOS",
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on ChromeOS",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome 142 on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) "
            f"{MOBILE_SAFARI} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
            "Chrome 142 on iPhone",
        ),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on Linux",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} "
            "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge 142 on Windows",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} "
            "Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0",
            "Edge 142 on Android",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} "
            "Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0",
            "Opera 125 on macOS",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} "
            "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet 28 on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
            f"{MOBILE_SAFARI} Version/26.1 Safari/605.1.15",
            "Safari 26 on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) "
            f"{MOBILE_SAFARI} Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) "
            f"{MOBILE_SAFARI} Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPad",
        ),
        ("Mozilla/5.0 Firefox/144.0", "Firefox 144"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("python-httpx/0.28.1", "python-httpx 0.28.1"),
        ("Mozilla/5.0 (compatible; Odd)", "Mozilla 5.0"),
        ("", ""),
    ],
)
def test_browser_is_named_as_people_know_it(user_agent, name):
    assert browser_name(user_agent) == name


@pytest.mark.parametrize(
    "odd",
    [
        "x" * 100_000,
        "Firefox/" * 10_000,
        "Version/1" + "." * 50_000 + " Safari/",
        "Version/1 Mobile/" + "a" * 50_000,
        "\0\r\n\x1b[31m\u202e",
        "Firefox/" + "9" * 50_000,
        "\u0661\u0662 Firefox/\u0661\u0664\u0664",
    ],
    ids=ascii,
)
def test_any_text_is_a_short_name_of_one_line(odd):
    name = browser_name(odd)

    assert len(name) <= 100
    assert name.isprintable()


def test_device_is_where_the_request_comes_from_and_by_what():
    request = RequestFactory().get("/", REMOTE_ADDR="2001:db8::7", HTTP_USER_AGENT="curl/8.5.0")

    assert device_of(request) == Device("2001:db8::7", "curl 8.5.0")


@pytest.mark.parametrize("address", ["", None])
def test_device_may_be_unknown(address):
    request = RequestFactory().get("/", REMOTE_ADDR=address)

    assert device_of(request) == Device("", "")


def test_odd_address_fits_where_it_is_kept():
    request = RequestFactory().get("/", REMOTE_ADDR="\0" + "x" * 500)

    assert device_of(request).address == "x" * 64
