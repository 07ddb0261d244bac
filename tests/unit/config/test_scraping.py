"""The metrics are told to nobody by mistake."""

import pytest

from config import scraping, values
from config.errors import WrongSetting

TOKEN = "nQ4vTz7-Lw2_kXb9RmJc5HsY8dFa1GpE"


def test_token_is_taken_as_it_stands():
    assert scraping.token("METRICS_TOKEN", TOKEN) == TOKEN
    assert scraping.token("METRICS_TOKEN", "") is None


@pytest.mark.parametrize("text", ["hunter2", "a" * 40, "0123456789" * 5, TOKEN[:19]])
def test_token_that_can_be_guessed_is_refused_without_being_told(text):
    with pytest.raises(WrongSetting, match="METRICS_TOKEN can be guessed") as refused:
        scraping.token("METRICS_TOKEN", text)

    assert text not in str(refused.value)


@pytest.mark.parametrize("text", [TOKEN + " ", TOKEN + "ü", f'"{TOKEN}"', TOKEN + "\n"])
def test_token_that_no_header_can_hold_is_refused(text):
    with pytest.raises(WrongSetting, match="METRICS_TOKEN must be letters"):
        scraping.token("METRICS_TOKEN", text)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", " 127.0.0.1 "])
@pytest.mark.parametrize("has_token", [True, False])
def test_loopback_needs_no_token(text, has_token):
    assert scraping.host("METRICS_HOST", text, has_token=has_token) == text.strip()


def test_other_addresses_need_one():
    assert scraping.host("METRICS_HOST", "0.0.0.0", has_token=True) == "0.0.0.0"  # noqa: S104
    with pytest.raises(WrongSetting, match="while METRICS_TOKEN is not set"):
        scraping.host("METRICS_HOST", "0.0.0.0", has_token=False)  # noqa: S104


@pytest.mark.parametrize("text", ["", "localhost", "127.0.0.1:9464", "example.com"])
def test_host_is_an_address(text):
    with pytest.raises(WrongSetting, match="METRICS_HOST must be an IP address"):
        scraping.host("METRICS_HOST", text, has_token=True)


@pytest.mark.parametrize(
    ("text", "is_terminal", "form"),
    [
        ("", True, "text"),
        ("", False, "json"),
        ("json", True, "json"),
        ("text", False, "text"),
    ],
)
def test_log_is_for_whoever_reads_it(text, is_terminal, form):
    assert values.log_format("LOG_FORMAT", text, is_terminal=is_terminal) == form


def test_other_forms_of_a_log_are_refused():
    with pytest.raises(WrongSetting, match="LOG_FORMAT must be json or text"):
        values.log_format("LOG_FORMAT", "xml", is_terminal=True)


def test_port_may_be_left_out():
    assert values.optional_port("METRICS_PORT", " ") is None
    assert values.optional_port("METRICS_PORT", "9464") == 9464
