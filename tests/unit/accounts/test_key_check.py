import pytest

from accounts.key_check import CheckedKey


@pytest.mark.parametrize(
    ("scopes", "may_trade"),
    [
        (("read",), False),
        (("read", "read::portfolio_balance"), False),
        (("read", "write"), True),
        (("read", "write::trade"), True),
        (("read", "write::transfer"), True),
        (("read", "writer"), False),
        # The exchange does not tell: asking once too often does no harm.
        ((), True),
    ],
)
def test_scopes_tell_whether_a_key_may_trade(scopes, may_trade):
    checked = CheckedKey(subaccount=0, listed_key_ids=None, scopes=scopes)

    assert checked.may_trade is may_trade
