"""Who feeds many more accounts than another hands some over, a few at a time."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from streaming.worker import sharing
from streaming.worker.sharing import HandOver, Peer, Sharing, offer, offer_of
from tests.told import NOON

ME, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def peer(count: int, beat: float = 0.0, of: UUID = OTHER, live: int | None = None) -> Peer:
    """A worker with so many accounts, whose heart beat last so many seconds after noon."""
    return Peer(of, NOON + timedelta(seconds=beat), count, count if live is None else live)


def look(mine: Sharing, count: int, peers: list[Peer], now: float) -> HandOver | None:
    """What is handed over by one that has so many accounts, all of them live."""
    return mine.due(count, range(1, count + 1), peers, now)


def due(mine: Sharing, live: int, *peers: Peer, now: float = 100.0) -> HandOver | None:
    """What is handed over of so many, by workers that were there a second ago."""
    before = [
        replace(each, heartbeat_at=each.heartbeat_at - timedelta(seconds=1)) for each in peers
    ]
    assert look(mine, live, before, now - 1) is None
    return look(mine, live, list(peers), now)


@pytest.mark.parametrize(
    ("live", "theirs", "handed_over"),
    [
        pytest.param(100, [], None, id="nobody else"),
        pytest.param(100, [0], 1, id="one that has none, to see whether it can"),
        pytest.param(100, [1], 5, id="one that has one"),
        pytest.param(100, [80], 5, id="a fifth fewer"),
        pytest.param(100, [81], None, id="nearly as many"),
        pytest.param(100, [300], None, id="more than ours"),
        pytest.param(100, [100, 40], 5, id="the one with fewest"),
        pytest.param(12, [9], 2, id="half of what is between them"),
        pytest.param(10, [0], None, id="few"),
    ],
)
def test_what_is_handed_over(live, theirs, handed_over):
    others = [peer(count, of=UUID(int=10 + number)) for number, count in enumerate(theirs)]

    found = due(Sharing(ME), live, *others)

    assert (found and len(found.account_ids)) == handed_over
    if found:
        assert found.heir == min(others, key=lambda each: each.account_count).id


def test_a_few_at_a_time_until_it_is_even():
    mine, ours, theirs, given, now = Sharing(ME), set(range(100)), set(), [], 0.0
    while len(theirs) <= sharing.UNEVEN * len(ours):
        now += 1.0
        found = mine.due(len(ours), ours, [peer(len(theirs), beat=now)], now)
        if found:
            given.append(len(found.account_ids))
            ours -= {*found.account_ids}
            mine.fed(dict.fromkeys(found.account_ids))
            assert mine.due(len(ours), ours, [peer(len(theirs), beat=now + 0.5)], now + 0.5) is None
            theirs |= {*found.account_ids}
            mine.fed(dict.fromkeys(found.account_ids, OTHER))
        assert now < 60

    assert (given[0], max(given)) == (1, sharing.AT_ONCE)
    assert len(ours) + len(theirs) == 100
    assert mine.due(len(ours), ours, [peer(len(theirs), beat=90.0)], 90.0) is None


def test_nothing_is_handed_over_to_one_that_has_few_because_it_died():
    mine = Sharing(ME)
    found = [
        # Its heart stood still when its accounts became free, one after the other ours.
        look(mine, 50 + taken, [peer(50 - taken, beat=0.0)], float(taken))
        for taken in range(50)
    ]

    assert found == [None] * 50


def test_what_was_seen_long_ago_says_nothing_of_one_that_died_since():
    mine = Sharing(ME)
    look(mine, 12, [peer(5, beat=0.0)], 0.0)

    # For an hour it had few itself, and looked no more.
    found = [look(mine, 99, [peer(1, beat=3_599.0)], 3_600.0 + after) for after in range(3)]

    assert found == [None] * 3


def test_one_that_lives_and_had_as_many_must_beat_again_first():
    mine = Sharing(ME)
    before = look(mine, 50, [peer(50, beat=0.0)], 0.0)
    at_first = look(mine, 99, [peer(1, beat=1.0)], 1.0)
    after = look(mine, 99, [peer(1, beat=2.0)], 2.0)

    assert (before, at_first) == (None, None)
    assert after == HandOver(OTHER, [1, 2, 3, 4, 5])


def test_account_that_is_free_is_its_heirs_for_a_moment():
    mine = Sharing(ME)
    mine.released(7, 100.0)

    assert not mine.may_take(7, 100.0 + sharing.OFFER_SECONDS - 0.1)
    assert mine.may_take(7, 100.0 + sharing.OFFER_SECONDS)
    assert mine.may_take(8, 100.0)


def test_only_the_one_it_is_offered_to_takes_it_at_once():
    other, third = Sharing(OTHER), Sharing(THIRD)
    for each in (other, third):
        each.heard(7, THIRD, 99.0)
        each.heard(7, OTHER, 100.0)

    assert other.may_take(7, 100.0)
    assert not third.may_take(7, 100.0)


@pytest.mark.parametrize("way", ["taken back", "not live in time"])
def test_nothing_more_is_handed_over_where_it_went_wrong(way):
    mine = Sharing(ME)
    found = due(mine, 100, peer(20))
    now = 100.0 + sharing.LIVE_SECONDS + 1
    if way == "taken back":
        mine.took(found.account_ids[0], now)
    else:
        mine.fed(dict.fromkeys(found.account_ids))
        assert look(mine, 100, [peer(20, beat=now)], now) is None

    assert not mine.under_way
    again_at = now + sharing.REFUSED_SECONDS
    assert due(mine, 100, peer(20, beat=700.0), now=again_at - 1) is None
    assert look(mine, 100, [peer(20, beat=701.0)], again_at)


def test_account_that_is_forgotten_on_its_way_is_waited_for_no_more():
    mine = Sharing(ME)
    found = due(mine, 100, peer(20))

    mine.fed(dict.fromkeys(found.account_ids[1:], OTHER))

    assert not mine.under_way


def test_one_that_takes_nothing_keeps_nobody_else_from_having_some():
    mine = Sharing(ME)
    found = due(mine, 100, peer(0), peer(40, of=THIRD))
    mine.took(found.account_ids[0], 105.0)

    again = due(mine, 100, peer(0, beat=9.0), peer(40, beat=9.0, of=THIRD), now=110.0)

    assert (found.heir, len(found.account_ids)) == (OTHER, 1)
    assert (again.heir, len(again.account_ids)) == (THIRD, 5)


def test_one_that_has_accounts_and_none_live_is_given_one():
    found = due(Sharing(ME), 100, peer(40, live=0))

    assert len(found.account_ids) == 1


def test_heir_that_dies_between_two_batches_is_given_no_more():
    mine = Sharing(ME)
    found = due(mine, 100, peer(20, beat=0.0))
    mine.fed(dict.fromkeys(found.account_ids, OTHER))

    # Its heart beat once more meanwhile, and no more.
    looks = [look(mine, 95, [peer(25, beat=1.5)], 102.0 + after) for after in range(5)]

    assert looks == [None] * 5


def test_account_that_a_third_was_quicker_to_take_has_arrived():
    mine = Sharing(ME)
    found = due(mine, 100, peer(20))
    mine.fed(dict.fromkeys(found.account_ids, ME))
    before = {*mine.under_way}
    mine.fed(dict.fromkeys(found.account_ids, THIRD))

    assert before == {*found.account_ids}
    assert not mine.under_way


def test_what_was_taken_once_is_no_refusal_when_it_is_free_again():
    mine = Sharing(ME)
    found = due(mine, 100, peer(20))
    mine.fed(dict.fromkeys(found.account_ids, OTHER))

    mine.took(found.account_ids[0], 160.0)

    assert due(mine, 100, peer(20, beat=200.0), now=200.0)


def test_offer_says_what_and_to_whom():
    assert offer_of(offer(7, OTHER)) == (7, OTHER)


@pytest.mark.parametrize("payload", ["", "7", "7:", ":x", f"seven:{OTHER}"])
def test_what_is_no_offer_is_refused(payload):
    with pytest.raises(ValueError, match=r"invalid literal|badly formed"):
        offer_of(payload)
