import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError
from kalshi.rate_limits import (
    BASIC,
    AccountLimits,
    Bucket,
    BucketLimit,
    EndpointCost,
    EndpointCosts,
)

# Nine tenths of these are 90 tokens a second, up to 180.
LIMIT = BucketLimit(refill_rate=100, capacity=200)


@pytest.fixture
def bucket():
    return Bucket(LIMIT, now=0.0)


def spend(bucket, cost, now):
    """Wait for the cost, take it, and return when."""
    at = now + bucket.delay(cost, now)
    bucket.take(cost, at)
    return at


def test_limits_are_decoded(answers):
    assert AccountLimits.decode(answers["limits"]) == BASIC


@pytest.mark.parametrize("write", [None, {}, 100, {"refill_rate": "fast"}], ids=repr)
def test_odd_budget_for_writing_costs_not_the_one_for_reading(answers, write):
    limits = AccountLimits.decode({**answers["limits"], "write": write})

    assert (limits.read, limits.write) == (BASIC.read, None)


@pytest.mark.parametrize(
    ("tier", "calls"),
    [("basic", 1), ("advanced", 1), ("expert", 5), ("prestige", 5), ("of next year", 1), ("", 1)],
)
def test_balance_has_a_bucket_by_tier(tier, calls):
    limits = AccountLimits(tier, LIMIT, LIMIT)

    assert limits.balance == BucketLimit(calls, calls)


@pytest.mark.parametrize("rate", [0, -1, 2**53, 1.5, "200", True, None], ids=repr)
def test_rate_that_is_none_is_refused(rate):
    with pytest.raises(DecodeError, match="bucket limit: refill_rate"):
        BucketLimit.decode({"refill_rate": rate, "bucket_capacity": 200})


def test_costs_are_decoded(answers):
    costs = EndpointCosts.decode(answers["endpoint_costs"])

    assert costs.default == 10
    assert EndpointCost("GET", "/trade-api/v2/margin/balance", 5) in costs.listed


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "/trade-api/v2/portfolio/positions", 10),
        ("GET", "/trade-api/v2/margin/balance", 5),
        ("POST", "/trade-api/v2/margin/balance", 10),
        # :order_id is one segment
        ("GET", "/trade-api/v2/portfolio/orders/7", 2),
        ("GET", "/trade-api/v2/portfolio/orders", 10),
        ("GET", "/trade-api/v2/portfolio/orders/7/queue_position", 10),
        # *endpoint is any rest
        ("GET", "/trade-api/v2/cfbenchmarks/values/now", 150),
        # both :order_id and the path itself
        ("DELETE", "/trade-api/v2/portfolio/orders/batched", 4),
    ],
)
def test_cost_is_that_of_the_endpoint(answers, method, path, cost):
    assert EndpointCosts.decode(answers["endpoint_costs"]).cost(method, path) == cost


def test_path_listed_as_it_stands_comes_before_a_pattern():
    pattern, itself = EndpointCost("GET", "/a/:b", 2), EndpointCost("GET", "/a/c", 3)

    assert EndpointCosts(10, (pattern, itself)).cost("GET", "/a/c") == 3


def test_full_bucket_gives_at_once(bucket):
    assert bucket.delay(180, now=0.0) == 0


def test_empty_bucket_gives_when_it_has_refilled(bucket):
    bucket.take(180, now=0.0)

    assert bucket.delay(45, now=0.0) == pytest.approx(0.5)
    assert bucket.delay(45, now=0.25) == pytest.approx(0.25)
    assert bucket.delay(45, now=0.5) == 0


def test_idle_bucket_holds_no_more_than_its_capacity(bucket):
    bucket.take(180, now=0.0)

    bucket.take(180, now=1000.0)

    assert bucket.delay(9, now=1000.0) == pytest.approx(0.1)


def test_dearer_than_the_bucket_goes_when_it_is_full_and_is_paid_for_after(bucket):
    bucket.take(270, now=0.0)

    assert bucket.delay(270, now=0.0) == pytest.approx(3.0)


def test_one_call_a_second_keeps_more_than_a_second_apart():
    balance = Bucket(BASIC.balance, now=0.0)

    times = [spend(balance, 1, now=0.0), spend(balance, 1, now=0.0)]

    assert times == [0.0, pytest.approx(1 / 0.9)]


def test_bucket_that_grows_keeps_its_level_and_refills_faster(bucket):
    bucket.take(180, now=0.0)

    bucket.resize(BucketLimit(refill_rate=1000, capacity=3000), now=0.0)

    assert bucket.delay(90, now=0.0) == pytest.approx(0.1)


def test_bucket_that_shrinks_loses_what_it_cannot_hold(bucket):
    bucket.resize(BucketLimit(refill_rate=10, capacity=10), now=0.0)

    bucket.take(9, now=0.0)

    assert bucket.delay(9, now=0.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("jitter", "held"), [(0.0, 0.05), (1.0, 0.1)])
def test_refusal_empties_the_bucket_and_holds_it(bucket, jitter, held):
    bucket.refused(now=0.0, jitter=jitter)

    assert bucket.delay(9, now=0.0) == pytest.approx(held + 0.1)


def test_refusals_in_a_row_hold_ever_longer_up_to_a_limit(bucket):
    holds = []
    now = 0.0
    for _ in range(12):
        bucket.refused(now, jitter=1.0)
        holds.append(bucket.delay(9, now) - 0.1)
        now += 1000.0

    assert holds[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert holds[-2:] == pytest.approx([30.0, 30.0])


def test_refusals_of_requests_that_were_under_way_together_are_one(bucket):
    for _ in range(18):
        bucket.refused(now=0.0, jitter=1.0)

    assert bucket.delay(9, now=0.0) == pytest.approx(0.1 + 0.1)
    bucket.refused(now=0.2, jitter=1.0)
    assert bucket.delay(9, now=0.2) == pytest.approx(0.2 + 0.1)


def test_answer_ends_the_row_of_refusals(bucket):
    bucket.refused(now=0.0, jitter=1.0)
    bucket.refused(now=1.0, jitter=1.0)
    bucket.accepted()

    bucket.refused(now=100.0, jitter=1.0)

    assert bucket.delay(9, now=100.0) == pytest.approx(0.2)


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 3)), max_size=60))
def test_exchange_with_the_full_limit_never_finds_its_bucket_empty(requests):
    ours, theirs = Bucket(LIMIT, now=0.0), 200.0
    now = last = 0.0
    for cost, pause in requests:
        now = spend(ours, min(cost, 180), now + pause)
        theirs = min(200.0, theirs + (now - last) * 100.0) - min(cost, 180)
        last = now

        assert theirs >= 0


def test_costs_without_measure_are_refused():
    costs = [{"method": "GET", "path": "/a", "cost": 1}] * 1_001

    assert EndpointCosts.decode({"default_cost": 1, "endpoint_costs": costs[:-1]})
    with pytest.raises(DecodeError, match="an array of at most 1000"):
        EndpointCosts.decode({"default_cost": 1, "endpoint_costs": costs})


limits = st.builds(BucketLimit, st.integers(1, 2**53 - 1), st.integers(1, 2**53 - 1))


@given(first=limits, second=limits, costs=st.lists(st.integers(1, 2**53 - 1), min_size=1))
def test_nobody_waits_for_tokens_longer_than_two_minutes(first, second, costs):
    bucket, now = Bucket(first, now=0.0), 0.0
    for cost in costs:
        now = spend(bucket, cost, now)
    bucket.resize(second, now)

    assert bucket.delay(2**53, now) <= 120.001
