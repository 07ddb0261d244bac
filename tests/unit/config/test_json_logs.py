"""The log for programs: one JSON object a line, with what the other form tells."""

import json
import logging
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import log_context
from config.logs import EventFormatter, JsonFormatter
from tests.unit.config.test_logs import record_of


def told(record: logging.LogRecord) -> dict:
    [line] = JsonFormatter().format(record).splitlines()
    return json.loads(line)


def test_event_is_an_object_with_its_fields_beside_the_message():
    assert told(record_of("account claimed", account=7, created=1795867200.25)) == {
        "time": "2026-11-28T12:00:00.250+00:00",
        "level": "INFO",
        "severity": "INFO",
        "logger": "tests",
        "message": "account claimed",
        "account": 7,
    }


@pytest.mark.parametrize(
    ("value", "as_json"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("inf"), "inf"),
        (Decimal("0.10"), "0.10"),
        ([3, Decimal(4)], [3, "4"]),
        (list(range(1000)), list(range(100))),
        ("a\nb\x1b", r"a\nb\x1b"),
        ("from https://a.example/b?token=1", "from https://a.example/b"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_value_keeps_its_kind_where_json_has_it(value, as_json):
    assert told(record_of("seen", value=value))["value"] == as_json


def test_request_is_told_by_its_path(rf):
    assert told(record_of("refused", request=rf.get("/a?token=1")))["request"] == "/a"


def test_field_cannot_say_what_the_line_says_of_itself():
    line = told(record_of("seen", level="CRITICAL", time="never", logger="another"))

    assert (line["level"], line["logger"]) == ("INFO", "tests")
    assert line["time"] != "never"


def test_traceback_is_a_field():
    try:
        raise ValueError("wrong?token=1")
    except ValueError:
        record = record_of("failed")
        record.exc_info = sys.exc_info()

    lines = told(record)["traceback"].split("\n")

    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: wrong?token=1"


def test_stack_is_a_field():
    assert told(record_of("seen", stack_info="Stack:\n\x1b"))["stack"] == "Stack:\n\\x1b"


@given(st.text(), st.text(alphabet=st.characters(exclude_categories=[])))
def test_no_text_makes_a_second_line_or_one_that_is_no_json(message, field):
    text = JsonFormatter().format(record_of("%s", message, field=field))

    assert text.splitlines() == [text]
    assert text.isprintable()
    text.encode()
    assert set(json.loads(text)) >= {"time", "level", "logger", "message", "field"}


@pytest.mark.parametrize("size", [65_536])
def test_long_text_of_a_visitor_is_cut(size):
    text = JsonFormatter().format(record_of("Not Found: %s", "x" * size, path="y" * size))

    assert len(text) < 10_000


def test_line_tells_the_request_and_the_account_that_it_is_about():
    with log_context.of_a_request(), log_context.of_account(7):
        request_id = log_context.request_id()
        line = told(record_of("seen"))
        text = EventFormatter().format(record_of("seen"))

    assert (line["request_id"], line["account_id"]) == (request_id, 7)
    assert text.endswith(f"seen request_id={request_id} account_id=7")
    assert "request_id" not in told(record_of("seen"))


def test_line_that_names_an_account_itself_is_about_that_one():
    with log_context.of_account(7):
        line = told(record_of("seen", account_id=8))
        text = EventFormatter().format(record_of("seen", account_id=8))

    assert line["account_id"] == 8
    assert text.endswith("seen account_id=8")


def test_each_request_has_an_id_of_its_own():
    ids = set()
    for _ in range(3):
        with log_context.of_a_request():
            ids.add(log_context.request_id())

    assert len(ids) == 3
    assert log_context.request_id() is None
