import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError
from kalshi.fields import MAXIMUM_VALUES, parse, values_in

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
