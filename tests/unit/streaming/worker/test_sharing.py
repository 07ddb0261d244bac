"""Who holds many more accounts than another hands some over, a few at a time."""

from uuid import UUID

import pytest

from streaming.worker import sharing
from streaming.worker.sharing import HandOver, Peer, Sharing, offer, offer_of

ME, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def live(count: int, first: int = 1) -> dict[int, bool]:
    return dict.fromkeys(range(first, first + count), True)


@pytest.mark.parametrize(
    ("held", "peers", "handed_over"),
    [
        pytest.param(100, [], None, id="nobody else"),
        pytest.param(100, [0], 5, id="one that has none"),
        pytest.param(100, [80], 5, id="a fifth fewer"),
        pytest.param(100, [81], None, id="nearly as many"),
        pytest.param(100, [300], None, id="more than ours"),
        pytest.param(100, [100, 40], 5, id="the one with fewest"),
        pytest.param(12, [9], 2, id="half of what is between them"),
        pytest.param(10, [0], None, id="few"),
    ],
)
def test_what_is_handed_over(held, peers, handed_over):
    others = [Peer(UUID(int=10 + number), count) for number, count in enumerate(peers)]

    due = Sharing(ME).due(live(held), others, 0.0)

    assert (due and len(due.account_ids)) == handed_over
    if due:
        fewest = min(others, key=lambda each: each.account_count)
        assert due.heir == fewest.id


def test_accounts_that_nobody_sees_as_live_go_first():
    held = live(12) | {7: False, 12: False}

    assert Sharing(ME).due(held, [Peer(OTHER, 0)], 0.0) == HandOver(OTHER, [7, 12, 1, 2, 3])


def test_a_few_at_a_time_until_it_is_even():
    ours, theirs, now, given = live(100), 0, 0.0, []
    mine = Sharing(ME)
    while due := mine.due(ours, [Peer(OTHER, theirs)], now):
        assert mine.due(ours, [Peer(OTHER, theirs)], now + sharing.PAUSE_SECONDS / 2) is None
        given.append(len(due.account_ids))
        for account_id in due.account_ids:
            del ours[account_id]
        theirs += len(due.account_ids)
        now += sharing.PAUSE_SECONDS

    assert max(given) == sharing.AT_ONCE
    assert len(ours) + theirs == 100
    assert sharing.UNEVEN * len(ours) < theirs <= len(ours)


def test_what_we_offered_is_anothers_for_a_moment():
    mine = Sharing(ME)
    mine.offered(7, 100.0)

    assert not mine.may_take(7, 100.0 + sharing.OFFER_SECONDS - 0.1)
    assert mine.may_take(7, 100.0 + sharing.OFFER_SECONDS)
    assert mine.may_take(8, 100.0)


def test_only_the_one_it_is_offered_to_takes_it_at_once():
    others, third = Sharing(OTHER), Sharing(THIRD)
    for each in (others, third):
        each.heard(7, OTHER, 100.0)

    assert others.may_take(7, 100.0)
    assert not third.may_take(7, 100.0)


def test_nothing_more_is_offered_where_nobody_took_it():
    mine = Sharing(ME)
    mine.offered(7, 0.0)
    mine.tried(7, 5.0, is_ours=True)

    assert mine.due(live(100), [Peer(OTHER, 0)], 5.0 + sharing.REFUSED_SECONDS - 1) is None
    assert mine.due(live(100), [Peer(OTHER, 0)], 5.0 + sharing.REFUSED_SECONDS)


def test_what_was_taken_once_is_no_refusal_when_it_is_free_again():
    mine = Sharing(ME)
    mine.offered(7, 0.0)
    mine.tried(7, 5.0, is_ours=False)
    mine.tried(7, 60.0, is_ours=True)

    assert mine.due(live(100), [Peer(OTHER, 0)], 60.0)


def test_offer_says_what_and_to_whom():
    assert offer_of(offer(7, OTHER)) == (7, OTHER)


@pytest.mark.parametrize(
    "payload", ["", "7", "7:", ":x", "seven:00000000-0000-0000-0000-000000000002"]
)
def test_what_is_no_offer_is_refused(payload):
    with pytest.raises(ValueError, match=r"invalid literal|badly formed"):
        offer_of(payload)
