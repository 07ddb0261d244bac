"""
Accounts as a terminal shows them: read once, or followed as the web process follows them.

The announcements say which account got further; what is new is read from its rows. Once a second
all is looked at anew, for what nobody announces: a worker that died, an account that came or went.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Never

from django.utils import timezone

from accounts.models import Account
from positions import documents, doorbell, reading
from positions.connection import ConnectionState, as_seen
from positions.position_tables import Snapshot
from positions.reading import AccountRows
from postgres.channels import ACCOUNT_CHANGED
from postgres.errors import DATABASE_TROUBLE
from postgres.notifications import Announcement, Disconnected, Listening, announcements
from postgres.patience import WEB
from postgres.threads import DatabaseThread

LOOK_SECONDS = 1.0
# Nobody reads faster; and a slow terminal is not to be flooded.
DRAW_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Seen:
    """An account with its rows, and when they were read by the monotonic clock."""

    account: Account
    rows: AccountRows
    read_at: float

    def snapshot(self, now: datetime, at: float) -> Snapshot:
        """It as it can be believed at `at`."""
        stream = self.rows.stream
        return Snapshot(
            heading=heading(self.account),
            positions=[documents.position_document(row) for row in self.rows.positions],
            portfolio=documents.portfolio_document(self.account.pk, stream),
            connection=self._connection(now, at),
            reconciled_at=stream.reconciled_at if stream else None,
        )

    def _connection(self, now: datetime, at: float) -> ConnectionState:
        written = self.rows.written or ConnectionState("connecting", since=now)
        beat = self.rows.heartbeat
        return as_seen(written, beat.aged(at - self.read_at) if beat else None)


def heading(account: Account) -> str:
    """An account by its id, its owner's name for it, and its environment."""
    return f"Account {account.pk}, {account.name} ({account.environment})"


def accounts(account_id: int | None) -> list[Account]:
    """The account of this id, if there is one; all of them without."""
    found = Account.objects.order_by("pk")
    return list(found if account_id is None else found.filter(pk=account_id))


def look(account_id: int | None) -> list[Seen]:
    """Read them all."""
    return [
        Seen(account, reading.read(account.pk), monotonic()) for account in accounts(account_id)
    ]


async def watch(account_id: int | None, draw: Callable[[list[Snapshot], bool], None]) -> Never:
    """
    Draw the snapshots now and whenever something of them changes, until cancelled.

    Args:
        account_id: None for all accounts.
        draw: takes the snapshots, and whether they could be read just now; called at most every
            `DRAW_SECONDS`, at least every `LOOK_SECONDS`.
    """
    database = DatabaseThread(WEB)
    news = _News()
    listener = asyncio.create_task(news.listen())
    seen: dict[int, Seen] = {}
    try:
        while True:
            begun = monotonic()
            is_reached = True
            try:
                changed = news.take()
                if changed is None:
                    seen = {each.account.pk: each for each in await database.run(look, account_id)}
                else:
                    for each in [seen[changed_id] for changed_id in changed & seen.keys()]:
                        seen[each.account.pk] = await database.run(_again, each)
            except DATABASE_TROUBLE:
                is_reached = False
                news.doubt()
            now, at = timezone.now(), monotonic()
            draw([each.snapshot(now, at) for each in seen.values()], is_reached)
            await asyncio.sleep(max(0.0, begun + DRAW_SECONDS - monotonic()))
            # A listener that failed of itself has a bug.
            if listener.done():
                listener.result()
            await news.wait()
    finally:
        listener.cancel()
        await asyncio.wait([listener])
        await database.close()


class _News:
    """Which accounts got further since they were last read."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        # When all are to be looked at, whatever was heard.
        self._look_at = monotonic()
        self._stirred = asyncio.Event()

    async def listen(self) -> None:
        async for heard in announcements(ACCOUNT_CHANGED):
            match heard:
                case Announcement(payload=payload):
                    self._changed.add(doorbell.heard(payload).account_id)
                case Listening() | Disconnected():
                    self.doubt()
            self._stirred.set()

    def doubt(self) -> None:
        """Whatever was read may be old."""
        self._look_at = monotonic()

    def take(self) -> set[int] | None:
        """The accounts to read again; None for all there are."""
        self._stirred.clear()
        changed, self._changed = self._changed, set()
        if monotonic() < self._look_at:
            return changed
        self._look_at = monotonic() + LOOK_SECONDS
        return None

    async def wait(self) -> None:
        """Until there is something to read."""
        try:
            async with asyncio.timeout(max(0.0, self._look_at - monotonic())):
                await self._stirred.wait()
        except TimeoutError:
            pass


def _again(seen: Seen) -> Seen:
    return Seen(seen.account, reading.read(seen.account.pk), monotonic())
