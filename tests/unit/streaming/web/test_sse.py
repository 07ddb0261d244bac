"""Events keep their form whatever text is in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.web import sse


def test_event_has_id_name_and_data_whose_type_repeats_the_name():
    event = sse.event("position", 42, sse.to_json({"ticker": "KXBTCD-T1", "mark": "0.57"}))

    assert event == (
        b'id: 42\nevent: position\ndata: {"type":"position","ticker":"KXBTCD-T1","mark":"0.57"}\n\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "carriage\r\nreturn",
        "\u2028 and \u2029",
        'a "quoted" \\ word',
        "data: x\n\nid: 7",
        "\x00",
        "ü – 🎲",
        "",
    ],
)
def test_any_text_stays_in_one_line_of_data(text):
    event = sse.event("position", 1, sse.to_json({"title": text})).decode()

    assert event.count("\n") == 4
    assert len(event.splitlines()) == 4
    assert json.loads(event.splitlines()[2].removeprefix("data: ")) == {
        "type": "position",
        "title": text,
    }


@given(text=st.text())
def test_every_text_comes_back_as_it_went_in(text):
    lines = sse.event("portfolio", 1, sse.to_json({"title": text})).decode().splitlines()

    assert lines[:2] == ["id: 1", "event: portfolio"]
    assert json.loads(lines[2].removeprefix("data: "))["title"] == text


def test_retry_and_comment_are_blocks_of_their_own():
    assert sse.retry(1000) == b"retry: 1000\n\n"
    assert sse.COMMENT == b":\n\n"
