import json

import pytest

from kalshi.errors import DecodeError
from kalshi.resources import PositionRow, SubaccountBalance
from kalshi.rows import MAXIMUM_LEFT_OUT, LeftOut, Rows, decode_rows


def decode(*values):
    return decode_rows(values, PositionRow.decode, kind="position", named_by="ticker")


@pytest.fixture
def good(answers):
    return answers["positions"]["market_positions"][0]


def test_odd_row_is_left_out_and_named_and_the_others_stay(good):
    rows = decode(good, good | {"ticker": "KXODD", "position_fp": "many"}, good)

    assert [row.ticker for row in rows] == [good["ticker"]] * 2
    assert rows.left_out == (
        LeftOut("position", "KXODD", "position: position_fp is not contracts in a decimal string"),
    )


@pytest.mark.parametrize(
    "value", [None, 7, "text", [], {}, {"ticker": 7}, {"ticker": "no\0"}, {"ticker": "K" * 201}]
)
def test_row_without_a_readable_name_is_counted_all_the_same(value):
    (left_out,) = decode(value).left_out

    assert left_out.name is None


@pytest.mark.parametrize(
    ("number", "name"), [(3, "3"), (0, "0"), ("3", None), (None, None), (True, None)]
)
def test_row_that_has_a_number_is_named_by_it(number, name):
    (left_out,) = decode_rows(
        [{"subaccount_number": number}],
        SubaccountBalance.decode,
        kind="subaccount balance",
        named_by="subaccount_number",
        is_number=True,
    ).left_out

    assert left_out.name == name


def test_reason_holds_nothing_of_the_content(good):
    rows = decode(good | {"position_fp": "secret"})

    assert "secret" not in json.dumps(rows.left_out[0].reason)


def test_rows_are_a_list():
    assert Rows([1, 2]) == [1, 2]
    assert Rows([1]).left_out == ()


def test_answer_of_nothing_but_odd_rows_is_refused(good):
    rows = decode(*[{}] * MAXIMUM_LEFT_OUT, good)

    assert len(rows.left_out) == MAXIMUM_LEFT_OUT
    with pytest.raises(DecodeError, match="position: too many rows"):
        decode(*[{}] * (MAXIMUM_LEFT_OUT + 1), good)
