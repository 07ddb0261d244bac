import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.csv_stream import cell, csv_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        ("-0.25", "-0.25"),
        ("KXGAME-A", "KXGAME-A"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("-5\n", "'-5\n"),
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
    ],
)
def test_cell(value, text):
    assert cell(value) == text


@given(st.text())
def test_no_cell_begins_a_formula(text):
    written = cell(text)

    assert not written.lstrip().startswith(("=", "+", "@"))
    assert not written.startswith("-") or Decimal(written) <= 0
    assert written.removeprefix("'") == text or written == text


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_what_is_written_is_read_again(rows):
    documents = [{"a": a, "b": b, "more": "not asked for"} for a, b in rows]

    text = csv_text(documents, ["a", "b"])

    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [[cell(a), cell(b)] for a, b in rows]
