"""
Which accounts a worker hands over to another, so that none holds many more than the others.

Whatever is free anybody may take, at once: that is what others are there for when a worker dies. So
the one that is started again would have nothing, and the next death would cost all. Pure: no clock
and no database in here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

# Who holds no more than so many has nothing to gain by it.
FEW = 10
# Another has so many of our accounts, or fewer, before any of ours is handed over: each is off the
# air for a moment.
UNEVEN = 0.8
# At one time, and how long until the next time.
AT_ONCE = 5
PAUSE_SECONDS = 1.0
# Who is offered an account takes it within a second; after this long it is anybody's.
OFFER_SECONDS = 5.0
# Nobody took what was offered: something is wrong with the others. Until it is tried again.
REFUSED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Another worker that lives, and has for a while, with how many accounts it feeds."""

    id: UUID
    account_count: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """Accounts that another worker is to have."""

    heir: UUID
    account_ids: list[int]


class Sharing:
    """
    What one worker gives, and what it leaves to others; instants are the caller's seconds.

    Args:
        worker_id: itself.
    """

    def __init__(self, worker_id: UUID) -> None:
        self._worker_id = worker_id
        # Until when an account is another's to take; those that we offered ourselves.
        self._left_to_another: dict[int, float] = {}
        self._offered: set[int] = set()
        self._not_before = float("-inf")

    @staticmethod
    def has_many(held_count: int) -> bool:
        """Whether some of so many might be handed over; else nobody need ask who else is there."""
        return held_count > FEW

    def due(self, held: Mapping[int, bool], peers: Iterable[Peer], now: float) -> HandOver | None:
        """
        What to hand over now.

        Args:
            held: by id, whether an account is shown as live: others go first.
            peers: the workers that may take something.
        """
        peer = min(peers, key=lambda peer: peer.account_count, default=None)
        if peer is None or now < self._not_before:
            return None
        if not self.has_many(len(held)) or peer.account_count > UNEVEN * len(held):
            return None
        self._not_before = now + PAUSE_SECONDS
        count = min(AT_ONCE, (len(held) - peer.account_count + 1) // 2)
        first = sorted(held, key=lambda account_id: (held[account_id], account_id))
        return HandOver(peer.id, first[:count])

    def offered(self, account_id: int, now: float) -> None:
        """An account of ours has been let go of, for another to take."""
        self._left_to_another[account_id] = now + OFFER_SECONDS
        self._offered.add(account_id)

    def heard(self, account_id: int, heir: UUID, now: float) -> None:
        """A worker, perhaps we, has offered an account."""
        if heir != self._worker_id:
            self._left_to_another[account_id] = now + OFFER_SECONDS

    def may_take(self, account_id: int, now: float) -> bool:
        """Whether an account may be taken, if it is free."""
        return now >= self._left_to_another.get(account_id, float("-inf"))

    def tried(self, account_id: int, now: float, *, is_ours: bool) -> None:
        """An account that might be taken was tried."""
        self._left_to_another.pop(account_id, None)
        if account_id in self._offered:
            self._offered.remove(account_id)
            if is_ours:
                self._not_before = now + REFUSED_SECONDS


def offer(account_id: int, heir: UUID) -> str:
    """An offer, as it is announced."""
    return f"{account_id}:{heir}"


def offer_of(payload: str) -> tuple[int, UUID]:
    """
    What was announced by `offer`.

    Raises:
        ValueError: it is none.
    """
    account_id, _, heir = payload.partition(":")
    return int(account_id), UUID(heir)
