"""Which accounts a worker offers to another."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from streaming.worker.worker import Worker
from tests.told import NOON

ANOTHER = UUID(int=2)


class Lookout:
    """A database that knows one more worker, with one account."""

    async def run(self, work, *args):
        return [(ANOTHER, NOON, 1, 1)] if work.__name__ == "settled" else {}


def held(status: str = "live", *, is_reading_past: bool = False, silent: float | None = None):
    return SimpleNamespace(
        state=SimpleNamespace(status=status), is_reading_past=is_reading_past, silent_seconds=silent
    )


@pytest.mark.parametrize(
    "unfit",
    [held("reconnecting"), held(is_reading_past=True), held(silent=4.0)],
    ids=["not live", "its past is being read", "what it says can't be written"],
)
async def test_only_what_is_live_and_written_is_handed_over(monkeypatch, unfit):
    worker, offered = Worker(), []
    monkeypatch.setattr(worker, "_lookout", Lookout())
    monkeypatch.setattr(worker, "_held", {number: held() for number in range(20)} | {99: unfit})
    monkeypatch.setattr(
        worker._sharing, "due", lambda count, live, peers, now: offered.append((count, live))
    )

    await worker._hand_over()

    assert offered == [(21, list(range(20)))]
