import pytest

from kalshi.allowance import Allowance
from kalshi.errors import AnswerTooLarge

PAGE = b'{"rows": []}'


def take(pages, page=PAGE, rows=1):
    allowance = Allowance()
    for _ in range(pages):
        allowance.take(page, rows)
    return allowance


@pytest.mark.parametrize(
    ("pages", "page", "rows"),
    [
        (1_000, PAGE, 100),
        (5, b"x" * 8 * 2**20, 1),
        (100, b"," * 19_999, 1_000),
    ],
    ids=["pages", "bytes", "values"],
)
def test_list_may_be_so_large_and_no_larger(pages, page, rows):
    allowance = take(pages, page, rows)

    with pytest.raises(AnswerTooLarge):
        allowance.take(page, rows)


def test_rows_are_counted_over_all_pages():
    allowance = take(100, rows=999)
    allowance.take(PAGE, 100)

    with pytest.raises(AnswerTooLarge):
        allowance.take(PAGE, 1)
