import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions.reconciliation import (
    OLD_ROW_SECONDS,
    TRUST_AFTER_SECONDS,
    Difference,
    Heard,
    compare,
)
from tests.told import at, holding, row

REQUESTED_AT = 100.0
FIVE, TEN, FLAT = holding("5", "2"), holding("10", "4"), holding("0", "0", "1.5")


def rows_of(**quantities: str):
    return {ticker: row(ticker, *held.split()) for ticker, held in quantities.items()}


@pytest.mark.parametrize(
    ("ours", "rows", "expected"),
    [
        ({}, {}, Difference()),
        ({"A": FIVE}, rows_of(A="5 2"), Difference()),
        ({}, rows_of(A="5 2"), Difference(changed={"A": FIVE})),
        ({"A": TEN}, rows_of(A="5 2"), Difference(changed={"A": FIVE})),
        # The same count at another cost, or with another fee, is another holding.
        ({"A": FIVE}, rows_of(A="5 3"), Difference(changed={"A": holding("5", "3")})),
        (
            {"A": FIVE},
            rows_of(A="5 2 0 0.01"),
            Difference(changed={"A": holding("5", "2", "0", "0.01")}),
        ),
        ({"A": FIVE}, rows_of(A="-5 3"), Difference(changed={"A": holding("-5", "3")})),
        (
            {"A": FIVE},
            rows_of(A="0 0 1.5"),
            Difference(gone={"A": FLAT}, sold=frozenset("A")),
        ),
        ({"A": FIVE}, {}, Difference(gone={"A": None})),
        ({}, rows_of(A="0 0 1.5"), Difference(flat={"A": FLAT})),
        (
            {"A": FIVE, "B": TEN},
            rows_of(B="10 4", C="5 2"),
            Difference(changed={"C": FIVE}, gone={"A": None}),
        ),
    ],
    ids=[
        "nothing held",
        "equal",
        "opened",
        "changed",
        "cost changed",
        "fees changed",
        "side changed",
        "sold",
        "settled",
        "flat and unknown",
        "several",
    ],
)
def test_difference_without_a_word_from_the_stream(ours, rows, expected):
    assert compare(ours, rows, {}, REQUESTED_AT) == expected


# What the stream said is FIVE, what REST lists is TEN.
@pytest.mark.parametrize(
    ("received_at", "sent", "updated", "is_believed"),
    [
        (100.1, None, None, True),
        (99.9, None, None, True),
        (95.0, None, None, True),
        (94.9, None, None, False),
        (99.9, 10.0, 9.0, True),
        (99.9, 10.0, 11.0, False),
        (99.9, 10.0, None, True),
        (99.9, None, 11.0, True),
        (94.9, 10.0, 9.0, False),
        (94.9, 10.0, 8.999, True),
        (40.0, 10.0, 8.999, True),
        (39.9, 10.0, 8.999, False),
        (94.9, 10.0, None, False),
        (100.1, 10.0, 11.0, False),
        # Rows say microseconds, frames milliseconds.
        (99.9, 10.165, 10.165032, True),
        (99.9, 10.165, 10.166032, False),
    ],
    ids=[
        "said after the request",
        "said shortly before",
        "said as long ago as REST may lag",
        "said longer ago",
        "sent after the row changed",
        "sent before the row changed",
        "row without its time",
        "frame without its time",
        "sent hardly later, and long ago",
        "sent clearly later",
        "sent clearly later, a minute ago",
        "sent clearly later, more than a minute ago",
        "row without its time, and said long ago",
        "an old frame come late",
        "in the same millisecond",
        "a millisecond before",
    ],
)
def test_word_of_the_stream_against_a_row(received_at, sent, updated, is_believed):
    word = Heard(FIVE, received_at, None if sent is None else at(sent))
    rows = {"A": row("A", "10", "4", updated=updated)}

    found = compare({"A": TEN}, rows, {"A": word}, REQUESTED_AT)

    assert found.changed == ({"A": FIVE} if is_believed else {})
    assert found.unconfirmed == ({"A"} if is_believed else set())


def test_read_that_tells_its_age_decides_however_old_a_row_in_it_is():
    word = Heard(FIVE, REQUESTED_AT - TRUST_AFTER_SECONDS - 1, at(10))
    rows = {"A": row("A", "10", "4", updated=1)}

    older = compare({"A": FIVE}, rows, {"A": word}, REQUESTED_AT, read_as_of=at(9.9))
    newer = compare({"A": FIVE}, rows, {"A": word}, REQUESTED_AT, read_as_of=at(10))

    assert older == Difference(unconfirmed=frozenset("A"), as_of={"A": at(10)})
    assert newer.changed == {"A": TEN}


@pytest.mark.parametrize(
    ("word", "rows", "ours", "expected"),
    [
        (FIVE, rows_of(A="5 2"), {}, Difference(changed={"A": FIVE})),
        (FIVE, rows_of(A="5 2"), {"A": FIVE}, Difference()),
        (
            FLAT,
            rows_of(A="0 0 1.5"),
            {"A": FIVE},
            Difference(gone={"A": FLAT}, sold=frozenset("A")),
        ),
        # Settled, and called flat: listed no more is the same as flat.
        (FLAT, {}, {"A": FIVE}, Difference(gone={"A": None})),
        (FLAT, {}, {}, Difference()),
    ],
    ids=["opened", "equal", "sold", "settled", "settled long since"],
)
def test_where_stream_and_rest_agree_nothing_is_unconfirmed(word, rows, ours, expected):
    heard = {"A": Heard(word, REQUESTED_AT, at(1))}

    assert compare(ours, rows, heard, REQUESTED_AT) == expected


@pytest.mark.parametrize(
    ("word", "rows", "ours", "expected"),
    [
        (FIVE, {}, {}, Difference(changed={"A": FIVE}, unconfirmed=frozenset("A"))),
        (
            FLAT,
            rows_of(A="5 2"),
            {"A": FIVE},
            Difference(gone={"A": FLAT}, unconfirmed=frozenset("A")),
        ),
        (
            FLAT,
            rows_of(A="5 2"),
            {},
            Difference(flat={"A": FLAT}, unconfirmed=frozenset("A")),
        ),
        (
            FIVE,
            rows_of(A="0 0 1.5"),
            {},
            Difference(changed={"A": FIVE}, unconfirmed=frozenset("A")),
        ),
    ],
    ids=["opened", "closed", "closed and done with", "reopened"],
)
def test_read_that_lags_behind_the_stream_undoes_nothing(word, rows, ours, expected):
    heard = {"A": Heard(word, REQUESTED_AT - 0.1, None)}

    assert compare(ours, rows, heard, REQUESTED_AT) == expected


def test_difference_tells_the_exchange_s_time_of_what_is_held():
    heard = {"C": Heard(TEN, REQUESTED_AT, at(3))}
    rows = {
        "A": row("A", "5", "2", updated=1.0005),
        "B": row("B", "5", "2"),
        "D": row("D", "0", updated=2),
    }

    found = compare({"A": FIVE}, rows, heard, REQUESTED_AT)

    assert found.as_of == {"A": at(1), "C": at(3)}


def test_row_that_changes_in_the_future_does_not_say_when_it_did():
    word = Heard(FIVE, REQUESTED_AT - 0.1, at(10))
    rows = {"A": row("A", "10", "4", updated=3600), "B": row("B", "5", "2", updated=3600)}

    found = compare({"A": TEN}, rows, {"A": word}, REQUESTED_AT, now=at(11))

    assert found.changed == {"A": FIVE, "B": FIVE}
    assert found.as_of == {"A": at(10)}


def test_amounts_finer_than_the_rows_are_rounded_before_they_are_compared():
    rows = {"A": row("A", "5", "2.0000004")}

    assert compare({"A": FIVE}, rows, {}, REQUESTED_AT) == Difference()


TICKERS = st.sampled_from("ABCD")
HOLDINGS = st.builds(holding, st.sampled_from(["-2", "0", "1", "3"]), st.sampled_from(["1", "2"]))
OPEN = HOLDINGS.filter(lambda held: held.quantity)
TIMES = st.none() | st.integers(0, 20)
ROWS = st.builds(
    lambda held, updated: row("", str(held.quantity), str(held.exposure), updated=updated),
    HOLDINGS,
    TIMES,
)
WORDS = st.builds(
    lambda held, received_at, sent: Heard(held, received_at, None if sent is None else at(sent)),
    HOLDINGS,
    st.floats(80, 110),
    TIMES,
)


@given(
    st.dictionaries(TICKERS, OPEN),
    st.dictionaries(TICKERS, ROWS),
    st.dictionaries(TICKERS, WORDS),
)
def test_difference_once_applied_leaves_none(ours, rows, heard):
    first = compare(ours, rows, heard, REQUESTED_AT)
    applied = {ticker: held for ticker, held in ours.items() if ticker not in first.gone}

    second = compare(applied | first.changed, rows, heard, REQUESTED_AT)

    assert (second.changed, second.gone) == ({}, {})


@given(
    st.dictionaries(TICKERS, OPEN),
    st.dictionaries(TICKERS, ROWS),
    st.dictionaries(TICKERS, WORDS),
)
def test_read_decides_once_the_stream_s_word_is_old(ours, rows, heard):
    later = 110 + OLD_ROW_SECONDS + 0.001

    found = compare(ours, rows, heard, later)

    assert not found.unconfirmed
    assert found == compare(ours, rows, {}, later)


# Rows that can't be read


def test_row_that_cannot_be_read_changes_nothing():
    found = compare({"A": TEN, "B": FIVE}, {}, {}, REQUESTED_AT, unreadable=["A"])

    assert (found.changed, found.gone.keys()) == ({}, {"B"})
    assert found.unreadable == {"A"}


def test_row_not_held_that_cannot_be_read_is_not_invented():
    found = compare({}, {}, {}, REQUESTED_AT, unreadable=["A"])

    assert found == Difference()


def test_nothing_is_gone_while_some_rows_have_no_name():
    rows = {"B": row("B", "5", "2"), "C": row("C", "0")}

    found = compare({"A": TEN, "B": FIVE, "C": FIVE}, rows, {}, REQUESTED_AT, is_complete=False)

    # What is listed as flat is flat.
    assert found.gone.keys() == {"C"}
    assert found.unreadable == {"A"}


@pytest.mark.parametrize(
    ("received_at", "changed", "unreadable"),
    [(60.0, {"A": FIVE}, set()), (40.0, {}, {"A"})],
    ids=["of this connection", "of an earlier one"],
)
def test_stream_makes_up_for_a_row_that_cannot_be_read(received_at, changed, unreadable):
    heard = {"A": Heard(FIVE, received_at, at(1))}

    found = compare({"A": TEN}, {}, heard, REQUESTED_AT, unreadable=["A"], heard_since=50.0)

    assert (found.changed, found.gone, found.unreadable) == (changed, {}, unreadable)


def test_position_opened_while_its_row_cannot_be_read_is_taken_from_the_stream():
    heard = {"A": Heard(FIVE, 60.0, at(1))}

    found = compare({}, {}, heard, REQUESTED_AT, unreadable=["A"], heard_since=50.0)

    assert found.changed == {"A": FIVE}
