import pytest

from positions.tracker import Tracker
from tests.told import reconcile, row


@pytest.fixture
def tracker() -> Tracker:
    """Ten YES of A, bought for 4 dollars, at an active market; connected, all taken."""
    tracker = Tracker("bid")
    tracker.follow(1.0)
    reconcile(tracker, [row("A", "10", "4")])
    tracker.take_changes()
    return tracker
