"""An account that somebody looks at: its newest state, encoded once for all who look."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from positions import documents
from positions.connection import ConnectionState, Heartbeat, as_seen
from positions.documents import Document
from positions.doorbell import Carried, Doorbell
from positions.models import AccountStream, Market, Position
from positions.reading import AccountRows
from positions.writing import TOMBSTONES_KEPT
from streaming.web import sse
from streaming.web.fanout import Channel, Frame, Key
from streaming.web.shared_snapshot import SharedSnapshot

if TYPE_CHECKING:
    from streaming.web.watched_sum import WatchedSum

_PORTFOLIO = "portfolio"
_CONNECTION = "connection_status"


class WatchedAccount:
    """
    The state that the streams of one account show.

    `seq` and `epoch` are how far it is; what the rows have beyond that, `update` takes in. Without
    an epoch nothing follows on it, and the next read replaces all.

    Args:
        account_id: whose it is.
        now: the time, for people.
        monotonic: seconds, by which a worker's heartbeat grows old.
    """

    def __init__(
        self,
        account_id: int,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account_id = account_id
        # Those that count it.
        self.sums: set[WatchedSum] = set()
        # Its sums as they are told; every one unknown before the first read.
        self.portfolio = documents.portfolio_document(account_id, None)
        self.is_set_aside = False
        self._now = now
        self._monotonic = monotonic
        self.channel = Channel(self._snapshot)
        self.snapshots = SharedSnapshot(self._snapshot)
        self.is_loaded = False
        self.epoch: int | None = None
        self.seq = 0
        self._watched_since = now()
        self._positions: dict[str, str] = {}
        # By id: what doorbells need not carry.
        self.markets: dict[int, Market] = {}
        # The market of each closed position whose frame is kept for who has yet to take it.
        self._closed: dict[Key, int] = {}
        self._portfolio = ""
        self._connection = ""
        self._written: ConnectionState | None = None
        self._heartbeat: Heartbeat | None = None
        self._heard_at = monotonic()
        # When this was last known to be all that the rows have.
        self._current_at = self._watched_since

    def load(self, rows: AccountRows) -> None:
        """Replace everything; every stream starts over with a snapshot."""
        self._positions.clear()
        self.markets.clear()
        self._closed.clear()
        self._take(rows)
        self.is_loaded = True
        self.channel.start_over()
        self._renew_sums()

    def doubt(self) -> None:
        """The rows may have become others than those we read: start over at the next read."""
        self.epoch = None

    def is_continued_by(self, rows: AccountRows) -> bool:
        """Whether what these rows have beyond our `seq` is all that tells it from what we have."""
        if not self.is_loaded or _epoch(rows.stream) != self.epoch or rows.seq < self.seq:
            return False
        # After longer what was closed meanwhile may be in no row any more.
        return self._now() - self._current_at < TOMBSTONES_KEPT / 2

    def update(self, rows: AccountRows) -> None:
        """Take in what is new and pass it on."""
        self.channel.publish(self._take(rows), _written_at(rows.positions))
        self._renew_sums()

    def is_followed_by(self, rung: Doorbell) -> bool:
        """Whether the flush that is announced is the next one."""
        return self.is_loaded and rung.epoch == self.epoch and rung.seq == self.seq + 1

    def carry(self, carried: Carried) -> None:
        """Take in what the next flush wrote, as its doorbell brought it, and pass it on."""
        self.seq = carried.seq
        frames = {}
        for document in carried.positions:
            key = f"position {document['ticker']}"
            frames[key] = self._take_open(document, carried.seq)
            self._closed.pop(key, None)
        frames |= self._take_sums(carried.portfolio, carried.connection)
        self.channel.publish(frames, _carried_at(carried))
        self._renew_sums()

    def set_aside(self) -> None:
        """
        Its rows can't be shown, for a fault of ours: say so; the others go on.

        What was shown stays, as of before. The next read replaces all.
        """
        self.is_set_aside = True
        self.doubt()
        try:
            seen = self._see()
        except Exception:
            # What was written of the connection is at fault itself.
            self._written = self._heartbeat = None
            seen = self._see()
        if self.is_loaded:
            self.channel.publish(seen)
        else:
            self._portfolio = sse.to_json(self.portfolio)
            self.is_loaded = True
            self.channel.start_over()
        self._renew_sums()

    def look(self, heartbeat: Heartbeat | None) -> None:
        """Judge the connection anew by its worker's last heartbeat."""
        self._hear(heartbeat)
        self.channel.publish(self._see())

    def age(self) -> None:
        """Judge it anew although there is no news: what was heard last is older now."""
        if self.is_loaded:
            self.channel.publish(self._see())

    def keep_alive(self) -> None:
        """Tell the streams what they know, so that on their side silence means trouble."""
        if not self.is_loaded:
            self.channel.publish({_CONNECTION: Frame(0, sse.COMMENT)})
            return
        event = sse.event(_CONNECTION, self.seq, self._of_account(self._connection))
        self.channel.publish({_CONNECTION: Frame(self.seq, sse.COMMENT + event)})

    def let_go_of_closed(self) -> None:
        """Forget the closed positions that all have been told of: else they only grow in number."""
        for key in self.channel.let_go(self._closed):
            self.markets.pop(self._closed.pop(key), None)

    def _take(self, rows: AccountRows) -> dict[Key, Frame]:
        self._hear(rows.heartbeat)
        frames = {}
        for row in rows.positions:
            key = f"position {row.market.ticker}"
            self.markets[row.market_id] = row.market
            if row.quantity:
                frames[key] = self._take_open(documents.position_document(row), row.seq)
                self._closed.pop(key, None)
            else:
                frames[key] = self._take_closed(row)
                self._closed[key] = row.market_id
        self.seq = rows.seq
        self.epoch = _epoch(rows.stream)
        portfolio = documents.portfolio_document(self.account_id, rows.stream)
        return frames | self._take_sums(portfolio, rows.written)

    def _take_open(self, document: Document, version: int) -> Frame:
        text = self._positions[str(document["ticker"])] = sse.to_json(document)
        return Frame(version, sse.event("position", version, text))

    def _take_closed(self, row: Position) -> Frame:
        self._positions.pop(row.market.ticker, None)
        text = self._of_account(sse.to_json(documents.closed_document(row)))
        return Frame(row.seq, sse.event("position_closed", row.seq, text))

    def _take_sums(self, portfolio: Document, written: ConnectionState | None) -> dict[Key, Frame]:
        self.is_set_aside = False
        frames = {}
        # A flush that changed none of it, but how the connection stands, is no news of it.
        is_news = {**portfolio, "version": None} != {**self.portfolio, "version": None}
        self._portfolio = sse.to_json(portfolio)
        self.portfolio = portfolio
        if is_news:
            frames[_PORTFOLIO] = Frame(self.seq, sse.event("portfolio", self.seq, self._portfolio))
        self._written = written
        return frames | self._see()

    def _hear(self, heartbeat: Heartbeat | None) -> None:
        self._heartbeat, self._heard_at = heartbeat, self._monotonic()
        self._current_at = self._now()

    def _see(self) -> dict[Key, Frame]:
        # An account just made waits for a worker to find it; only a missing worker is news.
        written = self._written or ConnectionState("connecting", since=self._watched_since)
        age = self._monotonic() - self._heard_at
        state = as_seen(written, self._heartbeat.aged(age) if self._heartbeat else None)
        if self.is_set_aside:
            state = replace(state, status="reconnecting", reason="set_aside")
        connection = sse.to_json(documents.connection_document(state))
        if connection == self._connection:
            return {}
        self._connection = connection
        event = sse.event(_CONNECTION, self.seq, self._of_account(connection))
        return {_CONNECTION: Frame(self.seq, event)}

    def _snapshot(self) -> bytes:
        # The parts are JSON already; joining them is all that a client's arrival costs.
        text = (
            f'{{"account_id":{self.account_id},"version":{self.seq},"positions":[{",".join(self._positions.values())}],'
            f'"portfolio":{self._portfolio},"connection":{self._connection},'
            f'"server_time":"{documents.instant(self._now())}"}}'
        )
        return sse.event("snapshot", self.seq, text)

    def _of_account(self, document: str) -> str:
        return f'{{"account_id":{self.account_id},{document[1:]}'

    def _renew_sums(self) -> None:
        for total in self.sums:
            total.renew()


def _written_at(positions: Sequence[Position]) -> float | None:
    """When the newest of these were, Unix time; None of a flush without any."""
    return positions[-1].updated_at.timestamp() if positions else None


def _carried_at(carried: Carried) -> float | None:
    if not carried.positions:
        return None
    return datetime.fromisoformat(str(carried.positions[0]["updated_at"])).timestamp()


def _epoch(stream: AccountStream | None) -> int:
    return stream.epoch if stream else 0
