"""What streams are told follows from the rows and the worker's heartbeat."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from positions.connection import ConnectionState, Heartbeat
from positions.documents import portfolio_document, position_document
from positions.doorbell import Carried, Doorbell
from positions.models import AccountStream, Market, Position
from positions.reading import AccountRows
from streaming.web.fanout import Subscriber
from streaming.web.watched_account import WatchedAccount

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIVE = ConnectionState("live", since=NOON)
JUST_NOW = Heartbeat(NOON, 0.0)


class Clock:
    """The web process's."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOON).total_seconds()

    @property
    def beat(self) -> Heartbeat:
        """A heart that beats just now."""
        return Heartbeat(self.now, 0.0)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Client:
    """A stream's subscriber, and what it was told."""

    def __init__(self, account: WatchedAccount) -> None:
        self._channel = account.channel
        self._subscriber = Subscriber(lambda: None)
        self._channel.join(self._subscriber)

    def take(self) -> bytes:
        return self._channel.take(self._subscriber)

    def events(self) -> list[dict]:
        lines = self.take().decode().splitlines()
        return [
            json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")
        ]


def row(ticker: str, seq: int, *, quantity: str = "5", bid: str = "0.40") -> Position:
    is_closed = not Decimal(quantity)
    return Position(
        account_id=1,
        market=Market(
            pk=int.from_bytes(ticker.encode()),
            ticker=ticker,
            event_ticker="EV",
            series_ticker="S",
            title="Title",
            yes_outcome="Yes",
        ),
        quantity=Decimal(quantity),
        exposure=Decimal(2),
        fees_paid=Decimal(0),
        yes_bid=Decimal(bid),
        market_status="active",
        payout=Decimal(quantity),
        closed_reason="closed" if is_closed else None,
        seq=seq,
        updated_at=NOON,
    )


def watched(clock: Clock | None = None) -> WatchedAccount:
    clock = clock or Clock()
    return WatchedAccount(1, clock, clock.monotonic)


def account_rows(
    seq: int,
    *positions: Position,
    epoch: int = 1,
    written: ConnectionState = LIVE,
    heartbeat: Heartbeat | None = JUST_NOW,
    updated_at: datetime = NOON,
) -> AccountRows:
    state = {"status": written.status, "since": written.since}
    stream = AccountStream(account_id=1, epoch=epoch, seq=seq, updated_at=updated_at, **state)
    return AccountRows(stream, list(positions), written, heartbeat)


def carried(rows: AccountRows) -> Carried:
    """What the doorbell of the flush brings that wrote these."""
    portfolio = portfolio_document(1, rows.stream)
    return Carried(rows.seq, portfolio, rows.written, list(map(position_document, rows.positions)))


NO_ROWS = AccountRows(None, [], None, None)


def test_snapshot_has_everything_and_changes_follow():
    account = watched()
    client = Client(account)

    account.load(account_rows(3, row("A", 2), row("B", 3)))
    [snapshot] = client.events()
    later = NOON + timedelta(seconds=1)
    account.update(account_rows(4, row("B", 4, bid="0.50"), updated_at=later))
    changed = client.events()

    assert snapshot["type"] == "snapshot"
    assert snapshot["version"] == 3
    assert [position["ticker"] for position in snapshot["positions"]] == ["A", "B"]
    assert snapshot["connection"]["status"] == "live"
    assert snapshot["portfolio"]["version"] == 3
    assert snapshot["server_time"] == "2026-11-23T12:00:00Z"
    by_type = {event["type"]: event for event in changed}
    assert by_type.keys() == {"position", "portfolio"}
    assert by_type["portfolio"]["version"] == 4
    assert by_type["position"]["yes_bid"] == "0.5"
    assert by_type["position"]["version"] == 4


def test_what_a_doorbell_carried_is_told_as_what_was_read():
    account, other = watched(), watched()
    for each in (account, other):
        each.load(account_rows(3, row("A", 2), row("B", 3)))
    client, its = Client(account), Client(other)
    client.take()
    its.take()
    later = account_rows(4, row("B", 4, bid="0.50"), updated_at=NOON + timedelta(seconds=1))

    account.carry(carried(later))
    other.update(later)

    told = client.events()
    assert {event["type"] for event in told} == {"position", "portfolio"}
    assert told == its.events()


def test_only_the_next_flush_of_the_same_writer_follows():
    account = watched()
    before = account.is_followed_by(Doorbell(1, 1, 1, ""))
    account.load(account_rows(3, row("A", 2)))

    followed = {
        (epoch, seq): account.is_followed_by(Doorbell(1, epoch, seq, ""))
        for epoch in (1, 2)
        for seq in (3, 4, 5)
    }
    account.doubt()

    assert not before
    assert [each for each, follows in followed.items() if follows] == [(1, 4)]
    assert not account.is_followed_by(Doorbell(1, 1, 4, ""))


def test_what_a_doorbell_carries_vouches_for_no_heart():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(3, row("A", 2), heartbeat=clock.beat))
    client = Client(account)
    client.take()
    clock.advance(60)
    later = account_rows(4, row("A", 4))

    account.carry(carried(later))

    [state] = [event for event in client.events() if event["type"] == "connection_status"]
    assert (state["status"], state["reason"]) == ("reconnecting", "worker_down")


def test_attempt_to_connect_is_told_as_such_and_as_no_change_of_the_portfolio():
    account = watched()
    account.load(account_rows(3, row("A", 2)))
    client = Client(account)

    for attempt in (1, 2):
        waiting = ConnectionState("reconnecting", NOON, attempt, reason="unreachable")
        account.update(account_rows(3 + attempt, written=waiting))
        [told] = client.events()

        assert (told["type"], told["attempt"]) == ("connection_status", attempt)
    late = Client(account)
    account.channel.start_over()
    assert late.events()[0]["portfolio"]["version"] == 5


def test_closed_position_is_told_and_in_no_later_snapshot():
    account = watched()
    account.load(account_rows(1, row("A", 1), row("B", 1)))
    client = Client(account)

    account.update(account_rows(2, row("A", 2, quantity="0")))
    late = Client(account)
    account.channel.start_over()

    assert [position["ticker"] for position in late.events()[0]["positions"]] == ["B"]
    assert [position["ticker"] for position in client.events()[0]["positions"]] == ["B"]


def test_position_closed_names_the_ticker_and_the_version():
    account = watched()
    account.load(account_rows(1, row("A", 1)))
    client = Client(account)

    account.update(account_rows(2, row("A", 2, quantity="0")))

    closed = next(event for event in client.events() if event["type"] == "position_closed")
    assert (closed["ticker"], closed["version"], closed["reason"]) == ("A", 2, "closed")


def test_closed_position_is_forgotten_once_all_have_been_told():
    account = watched()
    account.load(account_rows(1, row("A", 1), row("B", 1)))
    client = Client(account)
    client.take()

    account.update(account_rows(2, closed := row("A", 2, quantity="0")))
    account.let_go_of_closed()
    before = set(account.markets)
    told = client.events()
    account.let_go_of_closed()

    assert closed.market_id in before
    assert [event["ticker"] for event in told if event["type"] == "position_closed"] == ["A"]
    assert set(account.markets) == before - {closed.market_id}


def test_heart_that_beats_is_no_news():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(1))
    client = Client(account)

    clock.advance(4)
    account.look(clock.beat)
    account.age()

    assert client.take() == b""


def test_worker_down_is_told_five_seconds_after_the_last_heartbeat():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(1))
    client = Client(account)

    clock.advance(5)
    account.age()
    before = client.events()
    clock.advance(1)
    account.age()
    [after] = client.events()

    assert before == []
    assert (after["status"], after["reason"]) == ("reconnecting", "worker_down")
    assert after["live_until"] == "2026-11-23T12:00:00Z"


def test_live_again_as_soon_as_the_heart_beats_again():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(1))
    client = Client(account)
    clock.advance(6)
    account.age()

    account.look(clock.beat)

    # Only the newest state is given to who takes late.
    assert [event["status"] for event in client.events()] == ["live"]


def test_account_that_its_worker_does_not_vouch_for_is_told():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(1))
    client = Client(account)

    clock.advance(6)
    account.look(Heartbeat(clock.now, 0.0, silent_seconds=4.0))
    [told] = client.events()

    assert (told["status"], told["reason"]) == ("reconnecting", "write_stuck")
    assert told["live_until"] == "2026-11-23T12:00:02Z"


def test_account_without_any_worker_is_told_once():
    clock = Clock()
    account = watched(clock)
    client = Client(account)

    account.load(NO_ROWS)
    [snapshot] = client.events()
    clock.advance(1)
    account.look(None)
    account.age()

    assert snapshot["connection"]["reason"] == "worker_down"
    assert snapshot["positions"] == []
    assert client.take() == b""


def test_new_account_waits_for_a_worker_that_lives_without_news_every_second():
    clock = Clock()
    account = watched(clock)
    client = Client(account)

    account.load(AccountRows(None, [], None, JUST_NOW))
    [snapshot] = client.events()
    clock.advance(1)
    account.look(clock.beat)

    assert snapshot["connection"]["status"] == "connecting"
    assert client.take() == b""


def test_sign_of_life_is_a_comment_and_the_connection_once_more():
    account = watched()
    account.load(account_rows(7))
    client = Client(account)

    account.keep_alive()
    taken = client.take()

    assert taken.startswith(b":\n\nid: 7\nevent: connection_status\n")


def test_sign_of_life_before_anything_is_known_is_a_comment_alone():
    account = watched()
    client = Client(account)

    account.keep_alive()

    assert client.take() == b":\n\n"


def test_account_whose_connection_is_at_fault_can_be_set_aside():
    account = watched()
    account.load(account_rows(1, row("A", 1)))
    client = Client(account)
    client.take()

    with pytest.raises(AttributeError):
        account.update(account_rows(2, written=ConnectionState("live", since="noon")))
    account.set_aside()
    account.age()

    [told] = client.events()
    assert (told["status"], told["reason"]) == ("reconnecting", "set_aside")


def test_account_whose_sums_cannot_be_told_can_be_set_aside_before_it_was_shown():
    account = watched()
    client = Client(account)
    odd = account_rows(1)
    odd.stream.estimated_count = object()

    with pytest.raises(TypeError):
        account.load(odd)
    account.set_aside()

    [snapshot] = client.events()
    assert snapshot["connection"]["reason"] == "set_aside"
    assert snapshot["portfolio"]["estimated_count"] is None


def test_rows_of_the_same_epoch_continue_what_was_read():
    account = watched()
    account.load(account_rows(5, epoch=2))

    assert account.is_continued_by(account_rows(5, epoch=2))
    assert account.is_continued_by(account_rows(6, epoch=2))
    assert not account.is_continued_by(account_rows(4, epoch=2))
    assert not account.is_continued_by(account_rows(6, epoch=3))


def test_nothing_continues_what_was_current_so_long_ago_that_closed_positions_are_purged():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(5, epoch=2))

    clock.advance(29 * 60)
    account.look(clock.beat)
    clock.advance(29 * 60)
    was_continued = account.is_continued_by(account_rows(6, epoch=2))
    clock.advance(2 * 60)

    assert was_continued
    assert not account.is_continued_by(account_rows(6, epoch=2))


def test_nothing_continues_what_was_never_read_or_is_in_doubt():
    account = watched()
    was_unread = account.is_continued_by(account_rows(0, epoch=0))
    account.load(account_rows(5, epoch=2))

    account.doubt()

    assert not was_unread
    assert not account.is_continued_by(account_rows(6, epoch=2))


def test_doubt_is_no_reason_to_hold_back_what_was_read():
    clock = Clock()
    account = watched(clock)
    account.load(account_rows(5))
    client = Client(account)

    account.doubt()
    clock.advance(6)
    account.age()

    assert [event["status"] for event in client.events()] == ["reconnecting"]
