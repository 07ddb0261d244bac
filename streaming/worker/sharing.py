"""
Which accounts a worker hands over to another, so that none feeds many more than the others.

Whatever is free anybody may take, at once: that is what others are there for when a worker dies. So
the one that is started again would have nothing, and the next death would cost all. Pure: no clock
and no database in here.

Only live accounts are handed over; a few at a time, the next when those are live again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

# Who has no more than so many has nothing to gain by it.
FEW = 10
# Another has so many of ours, or fewer, before any of ours is handed over: each is off the air for
# a moment.
UNEVEN = 0.8
# At one time. The first alone: a worker that lives may still not reach the exchange.
AT_ONCE = 5
# Who is offered an account takes it within a second; after this long it is anybody's.
OFFER_SECONDS = 5.0
# By then it is live again; else something is wrong with the other.
LIVE_SECONDS = 15.0
# Until that one is tried again.
REFUSED_SECONDS = 600.0
# What was seen of others before such a break in the looks says nothing any more.
BREAK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Another worker, by its last heartbeat, with how many accounts it has, and has live."""

    id: UUID
    heartbeat_at: datetime
    account_count: int
    live_count: int


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
        # Until when an account is another's to take.
        self._left_to_another: dict[int, float] = {}
        # Ours that are on their way, to whom, and since when.
        self._under_way: dict[int, UUID] = {}
        self._began_at = 0.0
        # The last heartbeat of others when they were first seen to have so few, in looks without a
        # break; and when the last of these was.
        self._few_since: dict[UUID, datetime] = {}
        self._looked_at = float("-inf")
        # Until when each is not tried again.
        self._refused_until: dict[UUID, float] = {}

    @staticmethod
    def has_many(held_count: int) -> bool:
        """Whether some of so many might be handed over; else nobody need ask who else is there."""
        return held_count > FEW

    @property
    def under_way(self) -> Collection[int]:
        """Accounts that were handed over, and are not known to be live again."""
        return self._under_way.keys()

    def fed(self, live: Mapping[int, UUID | None]) -> None:
        """
        What has become of the accounts under way.

        Args:
            live: those that are still there: which worker has each live, None for no one.
        """
        self._under_way = {
            account_id: heir
            for account_id, heir in self._under_way.items()
            # A third may have been quicker.
            if account_id in live and live[account_id] in (None, self._worker_id)
        }

    def due(
        self, held_count: int, live: Collection[int], peers: Iterable[Peer], now: float
    ) -> HandOver | None:
        """
        What to hand over now; it is under way from then on.

        Args:
            held_count: of all our accounts.
            live: those that may go.
            peers: the workers that may take something.
        """
        if self._under_way:
            if now > self._began_at + LIVE_SECONDS:
                self._refused(now)
            return None
        if now > self._looked_at + BREAK_SECONDS:
            self._few_since.clear()
        self._looked_at = now
        few = {each.id: each for each in peers if each.account_count <= UNEVEN * held_count}
        # A worker's heart stops before its accounts are free. So one that has few because it died
        # does not beat after that was seen.
        self._few_since = {
            peer_id: self._few_since.get(peer_id, peer.heartbeat_at)
            for peer_id, peer in few.items()
        }
        fit = [
            peer
            for peer in few.values()
            if peer.heartbeat_at > self._few_since[peer.id]
            and now >= self._refused_until.get(peer.id, now)
        ]
        if not (fit and live and self.has_many(held_count)):
            return None
        peer = min(fit, key=lambda peer: peer.account_count)
        most = AT_ONCE if peer.live_count else 1
        count = min(most, (held_count - peer.account_count + 1) // 2)
        account_ids = sorted(live)[:count]
        self._under_way = dict.fromkeys(account_ids, peer.id)
        self._began_at = now
        # It may die meanwhile.
        self._few_since.clear()
        return HandOver(peer.id, account_ids)

    def released(self, account_id: int, now: float) -> None:
        """An account that is under way is free, for its heir to take."""
        self._left_to_another[account_id] = now + OFFER_SECONDS

    def heard(self, account_id: int, heir: UUID, now: float) -> None:
        """A worker, perhaps we, has offered an account."""
        if heir == self._worker_id:
            self._left_to_another.pop(account_id, None)
        else:
            self._left_to_another[account_id] = now + OFFER_SECONDS

    def may_take(self, account_id: int, now: float) -> bool:
        """Whether an account may be taken, if it is free."""
        return now >= self._left_to_another.get(account_id, float("-inf"))

    def took(self, account_id: int, now: float) -> None:
        """An account was free, and is ours."""
        self._left_to_another.pop(account_id, None)
        if account_id in self._under_way:
            # Nobody wanted it.
            self._refused(now)

    def _refused(self, now: float) -> None:
        for heir in self._under_way.values():
            self._refused_until[heir] = now + REFUSED_SECONDS
        self._under_way.clear()


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
