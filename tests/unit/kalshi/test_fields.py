import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError
from kalshi.fields import MAXIMUM_VALUES, Fields, parse, values_in

MEGABYTES = 8 * 2**20


def count(value):
    match value:
        case list():
            return 1 + sum(map(count, value))
        case dict():
            return 1 + sum(map(count, value.values()))
        case _:
            return 1


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_text_holds_more_values_than_it_is_reckoned_to(value):
    text = json.dumps(value)

    assert values_in(text) == values_in(text.encode()) >= count(value)


@pytest.mark.parametrize("unit", ["[]", "{}", "[[]]", '{"":0}', "0", '""', '[{"a":[]}]'])
@pytest.mark.parametrize("encode", [str, str.encode], ids=["text", "bytes"])
def test_text_of_more_values_than_any_answer_has_is_not_parsed(unit, encode):
    units = MEGABYTES // (len(unit) + 1)

    with pytest.raises(DecodeError, match="too many values"):
        parse(encode(f"[{','.join([unit] * units)}]"))


def test_text_of_as_many_values_as_there_may_be_is_parsed():
    assert len(parse(f"[{','.join(['0'] * (MAXIMUM_VALUES - 2))}]")) == MAXIMUM_VALUES - 2


def test_long_text_of_few_values_is_parsed():
    assert parse(json.dumps("x" * 1_000_000)) == "x" * 1_000_000


@pytest.mark.parametrize("opening", ["[", '{"":', '[{"":'], ids=["arrays", "objects", "both"])
@pytest.mark.parametrize("levels", [1_500, 100_000])
def test_deep_nesting_is_told_as_such(opening, levels):
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse(opening * levels)


def read(reader, value):
    fields = Fields({"it": value}, "row")
    return getattr(fields, reader)("it")


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("text", "\U0001f600" * 5_000),
        ("ticker", "K" * 200),
        ("identifier", "a" * 128),
        ("integer", 2**53 - 1),
        ("integer", -(2**53) + 1),
        ("subaccount", 0),
        ("subaccount", 2**31 - 1),
        ("positive", 2**53 - 1),
        ("number", 2.0**53 - 1),
        ("words", []),
        ("words", ["x" * 64] * 100),
        ("tickers", []),
        ("tickers", ["K" * 200] * 1_000),
        ("dollars", "-" + "9" * 12 + "." + "9" * 18),
        ("contracts", "-" + "9" * 12 + ".99"),
        ("cents", 10**14 - 1),
        ("time", "1970-01-01T00:00:00Z"),
        ("time", "2999-12-31T23:59:59.999999Z"),
        ("seconds", 0),
        ("milliseconds", 32_503_679_999_999),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_largest_value_is_read(reader, value):
    assert read(reader, value) is not None


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("text", "x" * 5_001),
        ("ticker", "K" * 201),
        ("identifier", "a" * 129),
        ("identifier", ""),
        ("identifier", "line\nbreak"),
        ("identifier", "nul\0"),
        ("identifier", "naïve"),
        ("identifier", 7),
        ("integer", 2**53),
        ("integer", -(2**53)),
        ("integer", 10**4_000),
        ("subaccount", -1),
        ("subaccount", 2**31),
        ("subaccount", True),
        ("positive", 2**53),
        ("number", 2**53),
        ("number", -(10**4_000)),
        ("number", 1e300),
        ("number", float("nan")),
        ("number", float("-inf")),
        ("words", ["x"] * 101),
        ("words", ["x" * 65]),
        ("words", ["read", ""]),
        ("words", ["read", "nul\0"]),
        ("words", ["read", 7]),
        ("words", "read"),
        ("tickers", ["K"] * 1_001),
        ("tickers", ["K" * 201]),
        ("tickers", ["KXA", None]),
        ("tickers", "KXA"),
        ("dollars", "0." + "9" * 19),
        ("dollars", "1" + "0" * 12),
        ("contracts", "1" + "0" * 12),
        ("cents", 10**14),
        ("time", "1969-12-31T23:59:59Z"),
        ("time", "1970-01-01T00:30:00+01:00"),
        ("time", "3000-01-01T00:00:00Z"),
        ("time", "0001-01-01T00:00:00Z"),
        ("time", "0001-01-01T00:00:00+01:00"),
        ("time", "9999-12-31T23:59:59-01:00"),
        ("seconds", -1),
        ("seconds", 32_503_680_000),
        ("milliseconds", 32_503_680_000_000),
        ("milliseconds", 2**53 - 1),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_value_beyond_is_refused_and_not_repeated(reader, value):
    with pytest.raises(DecodeError, match="row: it is not") as refusal:
        read(reader, value)

    assert len(str(refusal.value)) < 80


def test_array_of_more_than_may_be_is_refused():
    fields = Fields({"it": [0] * 3}, "row")

    assert fields.items("it", at_most=3) == [0] * 3
    with pytest.raises(DecodeError, match="an array of at most 2"):
        fields.items("it", at_most=2)
