"""Who may read the metrics."""

import pytest

from streaming.scrapers import verdict

TOKEN = "the token"


@pytest.mark.parametrize("is_direct_loopback", [True, False])
@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        ("Bearer the token", "allowed"),
        ("bearer  the token ", "allowed"),
        (None, "wrong_token"),
        ("", "wrong_token"),
        ("Bearer", "wrong_token"),
        ("Bearer the toke", "wrong_token"),
        ("Bearer the token2", "wrong_token"),
        ("Basic the token", "wrong_token"),
        ("the token", "wrong_token"),
        ("Bearer \udcff\xff", "wrong_token"),
    ],
)
def test_token_is_all_that_counts_where_there_is_one(authorization, said, is_direct_loopback):
    asked = verdict(token=TOKEN, authorization=authorization, is_direct_loopback=is_direct_loopback)

    assert asked == said


@pytest.mark.parametrize("authorization", [None, "Bearer None", "Bearer "])
@pytest.mark.parametrize(("is_direct_loopback", "said"), [(True, "allowed"), (False, "elsewhere")])
def test_without_one_only_this_machine_may(authorization, is_direct_loopback, said):
    asked = verdict(token=None, authorization=authorization, is_direct_loopback=is_direct_loopback)

    assert asked == said
