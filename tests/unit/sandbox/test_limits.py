import pytest

from sandbox.account import ApiKey
from sandbox.limits import TIERS, Limits
from sandbox.rest import members
from tests.unit.sandbox.published import answer

POSITIONS, BALANCE = "/portfolio/positions", "/portfolio/balance"


def allowed(limits: Limits, path: str, now: float, calls: int) -> int:
    return sum(limits.allow("alice", path, now) for _ in range(calls))


def test_burst_is_three_seconds_of_reading_and_then_twenty_a_second() -> None:
    limits = Limits(TIERS["basic"])

    at_once = allowed(limits, POSITIONS, 100.0, 100)
    soon = allowed(limits, POSITIONS, 100.5, 100)
    later = allowed(limits, POSITIONS, 1000.0, 100)

    assert (at_once, soon, later) == (60, 10, 60)


@pytest.mark.parametrize(("tier", "calls"), [("basic", 1), ("advanced", 1), ("expert", 5)])
def test_balance_has_a_bucket_of_its_own_without_a_burst(tier: str, calls: int) -> None:
    limits = Limits(TIERS[tier])
    allowed(limits, POSITIONS, 100.0, 1000)

    first = allowed(limits, BALANCE, 100.0, 10)
    second = allowed(limits, BALANCE, 101.0, 10)

    assert (first, second) == (calls, calls)


def test_members_do_not_share_a_bucket() -> None:
    limits = Limits(TIERS["basic"])
    allowed(limits, POSITIONS, 100.0, 100)

    assert limits.allow("charlie", POSITIONS, 100.0)


@pytest.mark.parametrize("tier", TIERS)
def test_limits_are_told(alices_key: ApiKey, tier: str) -> None:
    body = answer(members.account_limits(alices_key, TIERS[tier]), "GetAccountApiLimitsResponse")

    assert body["usage_tier"] == tier
