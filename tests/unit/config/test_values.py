from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import values
from config.errors import WrongSetting


@pytest.mark.parametrize("text", ["true", "True", "on", "yes", "y", "ok", "1", " true "])
def test_words_for_true_are_true(text):
    assert values.boolean("DEBUG", text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "off", "no", "n", "0"])
def test_words_for_false_are_false(text):
    assert values.boolean("DEBUG", text) is False


@pytest.mark.parametrize("text", ["", "ture", "2", "none", "false # for now"])
def test_any_other_word_is_neither(text):
    with pytest.raises(WrongSetting, match=r"DEBUG must be true or false"):
        values.boolean("DEBUG", text)


@pytest.mark.parametrize(
    ("text", "port"), [("1", 1), ("8000", 8000), (" 8000 ", 8000), ("65535", 65535)]
)
def test_port_is_a_number_within_tcps_range(text, port):
    assert values.port("PORT", text) == port


@pytest.mark.parametrize(
    "text",
    [
        *["", "0", "-1", "65536", "8000.0", "8_000", "+8000", "80 00", "http", "0x50"],
        pytest.param("٨٠", id="digits of another script"),
        pytest.param("9" * 5000, id="more digits than Python converts"),
    ],
)
def test_what_is_no_port_is_refused(text):
    with pytest.raises(WrongSetting, match="PORT must be a whole number from 1 to 65535"):
        values.port("PORT", text)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("5000", 5000)])
def test_count_is_a_whole_number(text, count):
    assert values.count("STREAMS_TOTAL", text) == count


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "many", "9" * 5000])
def test_count_of_nothing_is_refused(text):
    with pytest.raises(WrongSetting, match="STREAMS_TOTAL must be a whole number from 1"):
        values.count("STREAMS_TOTAL", text)


def test_directory_is_taken_from_where_the_process_was_started(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert values.directory("POSTGRES_DIR", "data") == tmp_path / "data"
    assert values.directory("POSTGRES_DIR", "/srv/data") == Path("/srv/data")


@pytest.mark.parametrize("text", ["", " "])
def test_directory_without_a_name_is_refused(text):
    with pytest.raises(WrongSetting, match="POSTGRES_DIR is empty"):
        values.directory("POSTGRES_DIR", text)


def test_time_zone_is_found_by_its_name():
    zone = values.timezone("TRADING_DAY_TIMEZONE", "America/New_York")

    assert datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("America", id="a directory"),
        pytest.param("../x", id="outside"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("zone.tab", id="a file of another kind"),
        pytest.param("Mars/Olympus", id="unknown"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("x" * 5000, id="longer than a path"),
        pytest.param("Zürich", id="not ASCII"),
        pytest.param("\udcff", id="not UTF-8"),
    ],
)
def test_what_is_no_time_zone_is_refused(text):
    with pytest.raises(WrongSetting, match="TRADING_DAY_TIMEZONE must be a time zone"):
        values.timezone("TRADING_DAY_TIMEZONE", text)


@pytest.mark.parametrize("text", ["bid", "mid", "last"])
def test_mark_price_is_one_of_three(text):
    assert values.mark_price("MARK_PRICE", text) == text


@pytest.mark.parametrize("text", ["", "ask", "BID", "bid "])
def test_other_mark_prices_are_refused(text):
    with pytest.raises(WrongSetting, match="MARK_PRICE must be bid, mid or last"):
        values.mark_price("MARK_PRICE", text)


@pytest.mark.parametrize(
    ("text", "page"),
    [("", None), (" ", None), ("http://localhost:8091/", "http://localhost:8091/")],
)
def test_page_is_an_address_or_none(text, page):
    assert values.page("SANDBOX_CONTROL_URL", text) == page


@pytest.mark.parametrize("text", ["javascript:alert(1)", "localhost:8091", "//localhost"])
def test_page_is_at_nothing_but_http(text):
    with pytest.raises(WrongSetting, match="must begin with http"):
        values.page("SANDBOX_CONTROL_URL", text)


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", []),
        ("10.0.0.5", ["10.0.0.5/32", "::ffff:10.0.0.5/128"]),
        ("169.254.0.0/16", ["169.254.0.0/16", "::ffff:169.254.0.0/112"]),
        (" 2001:db8::/32 , ::2,", ["2001:db8::/32", "::2/128"]),
    ],
)
def test_networks_are_told_as_sockets_of_both_kinds_write_them(text, networks):
    assert values.networks("TRUSTED_PROXIES", text) == networks


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.0/33", "10.0.0.5/16", "10.0.0.5 ::1"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(WrongSetting, match="TRUSTED_PROXIES must be addresses or networks"):
        values.networks("TRUSTED_PROXIES", text)


# Then whoever asks would be whoever they say.
@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.5,::/0"])
def test_everybody_is_no_network(text):
    with pytest.raises(WrongSetting, match="TRUSTED_PROXIES must not be everybody"):
        values.networks("TRUSTED_PROXIES", text)
