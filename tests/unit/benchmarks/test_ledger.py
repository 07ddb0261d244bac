"""The ledger's benchmark takes no refusal for a call that is not there."""

from types import SimpleNamespace

import pytest

from benchmarks.ledger import asking, is_read_of_ledger


class Client:
    """Answers everything with one status."""

    def __init__(self, status_code: int) -> None:
        self._answer = SimpleNamespace(status_code=status_code)

    def get(self, path: str, **extra: str) -> SimpleNamespace:
        return self._answer


def test_good_answer_is_taken():
    asking(Client(200), "fills")()


def test_only_what_is_not_found_is_not_there():
    with pytest.raises(LookupError, match="fills"):
        asking(Client(404), "fills")()


@pytest.mark.parametrize("status", [302, 401, 429, 500, 503])
def test_other_answers_end_the_measurement(status):
    with pytest.raises(RuntimeError, match=f"fills: {status}"):
        asking(Client(status), "fills")()


@pytest.mark.parametrize(
    ("sql", "is_read"),
    [
        ("SELECT 1 FROM ledger_fill", True),
        ("\n  WITH last AS (SELECT 1 FROM ledger_fill) SELECT 1 FROM last", True),
        ("SELECT 1 FROM positions_position", False),
        ("UPDATE ledger_fill SET fee = 0", False),
    ],
)
def test_query_that_begins_with_its_parts_reads_the_ledger(sql, is_read):
    assert is_read_of_ledger(sql) == is_read
