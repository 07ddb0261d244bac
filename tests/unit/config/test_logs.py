"""An event is one line, whatever it is made of."""

import logging
import sys
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import EventFormatter, JsonFormatter

FORGED = "2026-11-28T12:00:00+0000 INFO accounts: signed in account=7"


def record_of(message, *args, exception=None, **fields):
    record = logging.makeLogRecord(
        {"name": "tests", "levelname": "INFO", "created": 0, "msg": message, "args": args} | fields
    )
    record.exc_info = (type(exception), exception, None) if exception else None
    return record


def line_of(*args, **fields):
    """Without its time."""
    return EventFormatter().format(record_of(*args, **fields)).partition(" ")[2]


def test_event_is_a_line_with_its_fields_behind_the_message():
    assert line_of("account claimed", account=7) == "INFO tests: account claimed account=7"


def test_event_without_fields_is_its_message():
    assert line_of("%s of %s", 1, 2) == "INFO tests: 1 of 2"


@pytest.mark.parametrize(
    ("character", "spelled"),
    [
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\t", r"\t"),
        ("\0", r"\x00"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x85", r"\x85"),
        ("\x9b", r"\x9b"),
        ("\u2028", r"\u2028"),
        ("\u2029", r"\u2029"),
        ("\u202e", r"\u202e"),
        ("\ud800", r"\ud800"),
    ],
    ids=ascii,
)
def test_character_that_could_break_the_line_is_spelled_out(character, spelled):
    assert line_of(f"a{character}b") == f"INFO tests: a{spelled}b"
    assert line_of("%s", f"a{character}b") == f"INFO tests: a{spelled}b"
    assert line_of("seen", path=f"a{character}b") == f"INFO tests: seen path=a{spelled}b"
    assert line_of("seen", **{f"a{character}b": 1}) == f"INFO tests: seen a{spelled}b=1"


def test_text_of_any_language_is_left_as_it_is():
    assert line_of("naïve “東京” 🙂 ¢") == "INFO tests: naïve “東京” 🙂 ¢"


@given(st.text(), st.text(alphabet=st.characters(exclude_categories=[])))
def test_no_text_makes_a_second_line(message, field):
    line = EventFormatter().format(record_of("%s", message, field=field))

    assert line.splitlines() == [line]
    assert line.isprintable()


def test_traceback_keeps_its_lines():
    try:
        raise ValueError("wrong")
    except ValueError:
        record = record_of("failed")
        record.exc_info = sys.exc_info()

    first, *below = EventFormatter().format(record).split("\n")

    assert first.endswith("INFO tests: failed")
    assert below[0] == "  Traceback (most recent call last):"
    assert below[-1] == "  ValueError: wrong"
    assert len(below) >= 4


def test_message_of_an_exception_cannot_pass_for_an_event():
    record = record_of("failed", exception=ValueError(f"\n{FORGED}\r{FORGED}\u2028{FORGED}"))

    lines = EventFormatter().format(record).split("\n")

    assert lines[-1] == rf"  {FORGED}\r{FORGED}\u2028{FORGED}"
    assert all(line.startswith("  ") for line in lines[1:])


PEM = "-----BEGIN PRIVATE KEY-----\nMIIsecret0\nsecret1==\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("formatter", [EventFormatter(), JsonFormatter()], ids=["text", "JSON"])
@pytest.mark.parametrize(
    "told",
    [
        PEM,
        repr(PEM),
        'null value in "key"\nDETAIL:  Failing row contains (7, secret0, secret1).',
        repr(ValueError('null value in "key"\nDETAIL:  Failing row contains (7, secret0).')),
        "duplicate key\nDETAIL:  Key (name)=(secret0\nsecret1) already exists.\nCONTEXT:  none",
        "connection to postgres://kalshi:secret0@db:5432/x failed",
        "connection to postgres://:secret0@db:5432/x failed",
        "host=db password=secret0",
        "{'PASSWORD': 'secret0', 'host': 'db'}",
        "https://kalshi.example/?invitation=secret0",
        "eyJzZWNyZXQw.eyJzZWNyZXQw.secret1",
    ],
    ids=lambda text: text[:20],
)
def test_no_secret_is_told_in_a_message_a_field_or_a_traceback(formatter, told):
    record = record_of("failed: %s", told, exception=ValueError(told), error=told)
    line = formatter.format(record)

    assert "failed: " in line
    assert "ValueError: " in line
    assert not [secret for secret in ("secret0", "secret1", "zZWNyZXQw") if secret in line]


def test_what_stands_behind_a_quoted_row_is_told():
    record = record_of("failed", exception=ValueError("no\nDETAIL:  (7)\nCONTEXT:  SQL function"))

    assert EventFormatter().format(record).endswith("  DETAIL: …\n  CONTEXT:  SQL function")


@pytest.mark.parametrize("word", ["eyJ" * 666, "eyJ" * 300 + "." + "eyJ" * 300, "://" * 600])
def test_no_text_takes_long_to_be_made_safe(word):
    record = record_of("failed", exception=ValueError("\n".join([word] * 50)))
    began = perf_counter()

    EventFormatter().format(record)

    # It was a third of a second: of which nobody may have many.
    assert perf_counter() - began < 0.15


def test_stack_is_indented_as_a_traceback_is():
    record = record_of("seen", stack_info=f"Stack:\n{FORGED}")

    assert EventFormatter().format(record).endswith(f"seen\n  Stack:\n  {FORGED}")


def test_text_that_another_formatter_left_is_not_taken_over():
    record = record_of("failed", exception=ValueError(f"\n{FORGED}"))
    logging.Formatter().format(record)

    assert f"\n{FORGED}" not in EventFormatter().format(record)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("from https://a.example/b?token=1 refused", "from https://a.example/b refused"),
        ("from 'http://a.example?token=1'", "from 'http://a.example'"),
        ("really? yes", "really? yes"),
    ],
)
def test_address_is_told_without_its_query(message, told):
    assert line_of(message) == f"INFO tests: {told}"


def test_request_is_told_by_its_path(rf):
    line = line_of("refused", request=rf.get("/a/%0Ab?token=1"))

    assert line == r"INFO tests: refused path=/a/\nb"


@pytest.mark.parametrize(
    "text", ["x" * 65_536, "://" * 21_000, "?" * 65_536, "\0" * 65_536, "://?" * 16_000]
)
def test_long_text_of_a_visitor_is_cut(text):
    said = EventFormatter().format(
        record_of("Not Found: %s", text, exception=ValueError(text), path=text)
    )

    assert len(said) < 40_000
    assert f"({len(text)} characters)" in said
    assert f"({len(text) + len('Not Found: ')} characters)" in said


def test_query_is_cut_off_each_address_of_a_text():
    assert (
        line_of("from http://a/b?token=1 to https://c/d?token=2 'http://e?token=3' why?")
        == "INFO tests: from http://a/b to https://c/d 'http://e' why?"
    )
