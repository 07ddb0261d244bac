"""Every stream shows what the rows hold, whatever gets lost on the way."""

import asyncio
import functools
import threading
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts import forgetting, sessions, sight
from accounts.models import Account, Session
from positions import documents, doorbell, models, reading
from positions.connection import ConnectionState
from postgres.notifications import publish
from streaming.web import hub as hub_module
from streaming.web.counts import COUNTS
from streaming.web.hub import Hub
from tests.integration.streaming import rows
from tests.integration.streaming.clients import Client, watching
from tests.integration.visitors import key_session
from tests.waiting import PATIENCE_SECONDS, until

READ_SINCE = reading.read_since
PROGRESS = reading.progress


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A hub that looks after streams and sessions every second."""
    monkeypatch.setattr(hub_module, "KEEPALIVE_SECONDS", 1)
    monkeypatch.setattr(hub_module, "SESSION_POLLS", 1)


@pytest.fixture
def unpolled(monkeypatch) -> None:
    """A hub that hears, and never looks by itself; to be asked for before the hub."""
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 3600.0)


@pytest.fixture
async def session(database, alice) -> Session:
    def issue() -> Session:
        return key_session(Account.objects.get(pk=alice))[0]

    return await database.run(issue)


async def terminate_listeners(database) -> int:
    """Kill the sessions that LISTEN; how many there were."""
    killed = await database.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND (query LIKE 'LISTEN %%' OR query LIKE 'NOTIFY %%')"
    )
    return len(killed)


async def test_snapshot_is_first_and_complete(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10", "B": "0.20"})
    await database.run(worker.write, {"C": "0.30"}, closed=["A"])

    async with watching(hub, alice) as client:
        await until(lambda: client.events)

    assert client.received.startswith(b"retry: 1000\n\nid: 2\nevent: snapshot\n")
    assert client.bids == {"B": "0.2", "C": "0.3"}
    assert client.events[0]["connection"]["status"] == "live"
    assert client.events[0]["version"] == 2


async def test_changes_follow_by_announcement(database, unpolled, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10", "B": "0.20"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        await database.run(worker.write, {"A": "0.11"})
        await until(lambda: client.bids == {"A": "0.11", "B": "0.2"})
        await database.run(worker.write, closed=["B"])
        await until(lambda: client.bids == {"A": "0.11"})

    assert client.types.count("snapshot") == 1
    assert client.types.count("position") == 1
    assert client.types.count("position_closed") == 1


@pytest.fixture
def readings(monkeypatch) -> list[int]:
    """The flushes after which the rows were read again."""
    asked: list[int] = []

    def read_since(account_id: int, seq: int) -> reading.AccountRows:
        asked.append(seq)
        return READ_SINCE(account_id, seq)

    monkeypatch.setattr(reading, "read_since", read_since)
    return asked


async def test_what_the_doorbell_carries_is_not_read(
    database, unpolled, hub, alice, worker, readings
):
    await database.run(worker.write, {"A": "0.10", "B": "0.20"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)
        await database.run(worker.write, {"A": "0.11"})
        # By the doorbell, or by the reading that follows the first LISTEN.
        await until(lambda: client.bids == {"A": "0.11", "B": "0.2"} and not hub.behind_seconds)
        readings.clear()
        carried = COUNTS.carried

        for bid in ("0.12", "0.13", "0.14"):
            await database.run(worker.write, {"A": bid})
            await until(lambda bid=bid: client.bids == {"A": bid, "B": "0.2"})

        held = await database.run(rows.open_positions, alice)
        assert client.positions["A"] == documents.position_document(held["A"]) | {
            "type": "position"
        }
    assert readings == []
    assert COUNTS.carried == carried + 3


async def test_what_was_carried_while_the_poll_asked_was_not_missed(
    database, hub, alice, worker, readings, monkeypatch
):
    is_asked, may_answer = threading.Event(), threading.Event()
    polls: list[int] = []

    def progress(account_ids) -> dict[int, reading.Progress]:
        found = PROGRESS(account_ids)
        polls.append(found[alice].seq)
        is_asked.set()
        may_answer.wait(PATIENCE_SECONDS)
        return found

    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)
        await database.run(worker.write, {"A": "0.11"})
        await until(lambda: client.bids == {"A": "0.11"})
        monkeypatch.setattr(reading, "progress", progress)
        await until(is_asked.is_set)
        readings.clear()
        missed = COUNTS.missed

        await database.run(worker.write, {"A": "0.12"})
        await until(lambda: client.bids == {"A": "0.12"})
        may_answer.set()
        await until(lambda: len(polls) > 2)

    assert polls[:2] == [2, 3]
    assert readings == []
    assert COUNTS.missed == missed


async def test_what_lies_between_is_read_whatever_the_doorbell_carries(
    database, unpolled, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10", "B": "0.20"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)

        await database.run(rows.write_unannounced, alice, "A", "0.55")
        await database.run(worker.write, {"B": "0.21"})
        await until(lambda: client.bids == {"A": "0.55", "B": "0.21"})

    assert client.types.count("snapshot") == 1


async def test_doorbell_that_carries_nonsense_is_logged_and_the_rows_are_read(
    database, unpolled, hub, alice, worker, caplog
):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)
        await database.run(worker.write, {"A": "0.11"})
        # By the doorbell, or by the reading that follows the first LISTEN.
        await until(lambda: client.bids == {"A": "0.11"} and not hub.behind_seconds)

        seq = await database.run(rows.write_unannounced, alice, "A", "0.2")
        await database.run(
            publish, "account_changed", f"{alice}:1:{seq}:{doorbell.shape()}:[[1, 2], []]"
        )
        await until(lambda: client.bids == {"A": "0.2"})
        await until(lambda: client.connection["status"] == "live")

    assert [each.message for each in caplog.records if each.exc_info] == ["account cannot be shown"]


async def test_account_that_no_worker_ever_opened_has_an_empty_snapshot(hub, alice):
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

    assert client.events[0]["positions"] == []
    assert client.events[0]["portfolio"]["cash"] is None
    assert client.connection["reason"] == "worker_down"


async def test_first_rows_of_a_new_account_reach_a_stream_that_waits(database, hub, alice):
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        worker = await database.run(rows.Worker, alice)
        await database.run(worker.write, {"A": "0.10"})
        await until(lambda: client.bids == {"A": "0.1"})

    assert client.connection["status"] == "live"


async def test_nothing_falls_between_snapshot_and_changes(database, hub, alice, worker):
    tickers = ["A", "B", "C", "D"]

    def write_a_lot() -> None:
        for number in range(300):
            bid = f"0.{10 + number % 80}"
            if number % 7 == 0:
                worker.write(closed=[tickers[number % 4]])
            else:
                worker.write({tickers[number % 4]: bid, tickers[(number + 1) % 4]: bid})

    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        writing = asyncio.create_task(database.run(write_a_lot))
        while not writing.done():
            clients.append(await stack.enter_async_context(watching(hub, alice)))
            await asyncio.wait([writing], timeout=0.02)
        await writing
        [seq] = (await database.fetch("SELECT seq FROM positions_accountstream"))[0]
        held = await database.run(rows.open_positions, alice)
        await until(lambda: all(client.version == seq for client in clients))

    expected = {ticker: row.seq for ticker, row in held.items()}
    assert len(clients) > 5
    for client in clients:
        shown = {ticker: position["version"] for ticker, position in client.positions.items()}
        assert shown == expected
        versions = [event["version"] for event in client.events if "version" in event]
        assert versions == sorted(versions)


async def test_lost_announcement_is_found_by_the_poll(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        # The first may be found by the read that follows the LISTEN, if that is late.
        for bid in ("0.55", "0.56"):
            await database.run(rows.write_unannounced, alice, "A", bid)
            await until(lambda bid=bid: client.bids == {"A": bid})

    assert client.types.count("snapshot") == 1


@pytest.mark.parametrize("failing", [["progress"], ["read_since", "read"]], ids=["poll", "read"])
async def test_it_is_behind_for_as_long_as_the_database_fails(
    database, hub, alice, worker, monkeypatch, failing
):
    def fail(*args) -> None:
        raise OperationalError("away")

    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        with monkeypatch.context() as away:
            for name in failing:
                away.setattr(reading, name, fail)
            await database.run(rows.write_unannounced, alice, "A", "0.55")
            # Longer than from one poll to the next.
            await until(lambda: hub.behind_seconds > 2.5)

        await until(lambda: client.bids == {"A": "0.55"})
        await until(lambda: hub.behind_seconds == 0.0)


async def test_old_announcement_changes_nothing(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10"})
    await database.run(worker.write, {"A": "0.20"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        await database.run(publish, "account_changed", f"{alice}:1:1")
        await database.run(worker.write, {"A": "0.30"})
        await until(lambda: client.bids == {"A": "0.3"})

    assert client.types.count("snapshot") == 1


async def test_new_writer_is_met_with_a_snapshot(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        successor = await database.run(rows.Worker, alice)
        await database.run(successor.write, {"A": "0.20"})
        await until(lambda: client.bids == {"A": "0.2"})

    assert client.types.count("snapshot") == 2


async def test_rows_that_went_back_are_shown_as_they_are(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10"})
    await database.run(worker.write, {"A": "0.20", "B": "0.30"})

    def set_back() -> None:
        models.Position.objects.filter(market__ticker="B").delete()
        models.Position.objects.update(seq=1, yes_bid="0.10")
        models.AccountStream.objects.update(seq=1)

    async with watching(hub, alice) as client:
        await until(lambda: client.bids == {"A": "0.2", "B": "0.3"})

        await database.run(set_back)
        await until(lambda: client.bids == {"A": "0.1"})

    assert client.types[-1] == "snapshot"
    assert client.version == 1


async def test_listener_that_was_killed_listens_again_and_reloads(
    database, unpolled, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)

        killed = await terminate_listeners(database)
        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: client.bids == {"A": "0.2"})
        await database.run(worker.write, {"A": "0.30"})
        await until(lambda: client.bids == {"A": "0.3"})

    assert killed == 1


async def test_silent_worker_is_told_within_seconds_and_so_is_its_return(
    database, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.connection.get("status") == "live")

        await until(lambda: client.connection.get("reason") == "worker_down", seconds=15)
        told = client.connection
        await database.run(worker.beat)
        await until(lambda: client.connection["status"] == "live")

    assert told["status"] == "reconnecting"
    assert told["live_until"] is not None
    assert client.statuses == ["live", "reconnecting", "live"]
    assert client.bids == {"A": "0.1"}


async def test_database_that_hangs_does_not_let_a_stream_claim_to_be_live(
    database, impatient, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.connection.get("status") == "live")
        await database.fetch("BEGIN")
        await database.fetch("LOCK TABLE positions_accountstream IN ACCESS EXCLUSIVE MODE")

        await until(lambda: client.connection["reason"] == "worker_down", seconds=15)
        signs_of_life = client.received.count(b"\n:\n\n")
        await until(lambda: client.received.count(b"\n:\n\n") > signs_of_life)
        await database.fetch("COMMIT")
        await database.run(worker.beat)
        await until(lambda: client.connection["status"] == "live")
        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: client.bids == {"A": "0.2"})


async def test_database_that_ends_our_sessions_is_found_again(database, hub, alice, worker):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        await database.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
        )
        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: client.bids == {"A": "0.2"})

    assert not client.is_ended


async def test_stream_that_opens_while_the_database_hangs_gets_its_snapshot_later(
    database, impatient, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    await database.fetch("BEGIN")
    await database.fetch("LOCK TABLE positions_accountstream IN ACCESS EXCLUSIVE MODE")
    async with watching(hub, alice) as client:
        await until(lambda: b"\n:\n\n" in client.received)
        before = list(client.events)
        await database.fetch("COMMIT")
        await until(lambda: client.bids == {"A": "0.1"})

    assert before == []


async def test_logout_ends_the_sessions_streams_and_no_others(
    database, unpolled, hub, alice, worker, session
):
    def another_session() -> Session:
        return key_session(Account.objects.get(pk=alice))[0]

    other = await database.run(another_session)
    await database.run(worker.write, {"A": "0.10"})
    async with (
        watching(hub, alice, session) as ended,
        watching(hub, alice, session) as ended_too,
        watching(hub, alice, other) as staying,
    ):
        await until(lambda: ended.events and ended_too.events and staying.events)
        await until(database.is_listened_to)

        await database.run(sessions.end, session)
        await until(lambda: ended.is_ended and ended_too.is_ended)

        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: staying.bids == {"A": "0.2"})
    assert not staying.is_ended
    assert ended.received.endswith(b"retry: 1000\n\n")


async def test_expired_session_ends_its_stream(database, hub, alice, worker, session):
    async with watching(hub, alice, session) as client:
        await until(lambda: client.events)

        def expire() -> None:
            Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        await database.run(expire)
        await until(lambda: client.is_ended)


async def test_session_renewed_elsewhere_keeps_its_stream(
    database, hub, alice, worker, session, monkeypatch
):
    # Nobody looks before the session is renewed, however long that takes.
    monkeypatch.setattr(hub_module, "SESSION_POLLS", 10**9)
    expires_at = timezone.now() + timedelta(seconds=1)

    def renew() -> None:
        Session.objects.update(expires_at=timezone.now() + timedelta(hours=24))

    def nearly_expire() -> None:
        Session.objects.update(expires_at=expires_at)

    def revoke(session_id) -> None:
        Session.objects.filter(pk=session_id).update(ended_at=timezone.now())

    def another_session() -> Session:
        return key_session(Account.objects.get(pk=alice))[0]

    revoked = await database.run(another_session)
    await database.run(nearly_expire)
    async with (
        watching(hub, alice, session) as client,
        watching(hub, alice, revoked) as witness,
    ):
        await until(lambda: client.events and witness.events)
        await database.run(renew)
        await database.run(revoke, revoked.pk)
        await until(lambda: timezone.now() > expires_at)
        monkeypatch.setattr(hub_module, "SESSION_POLLS", 1)

        # It is ended by the same look at both.
        await until(lambda: witness.is_ended)
        assert not client.is_ended


async def test_forgotten_account_ends_its_streams(database, unpolled, hub, alice, worker, session):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice, session) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)

        await database.run(forgetting.forget_user, session.user)
        await until(lambda: client.is_ended)


async def test_drained_hub_ends_its_streams_with_a_final_retry(hub, alice, worker):
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        hub.drain()
        await until(lambda: client.is_ended)

    assert client.received.endswith(b"retry: 1000\n\n")


async def test_drained_hub_opens_no_more_streams(hub, alice):
    hub.drain()

    async with watching(hub, alice) as late:
        await until(lambda: late.is_ended)

    assert late.events == []


async def test_account_is_dropped_with_its_last_client(database, hub, alice, worker):
    async with watching(hub, alice) as first:
        async with watching(hub, alice) as second:
            await until(lambda: first.events and second.events)
        assert list(hub._accounts) == [alice]

    assert hub._accounts == {}
    assert hub._streams == set()


async def test_account_that_is_read_while_its_last_client_leaves_does_no_harm(
    database, hub, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    for _ in range(20):
        async with watching(hub, alice) as brief:
            await until(lambda: brief.received)

    async with watching(hub, alice) as client:
        await until(lambda: client.bids == {"A": "0.1"})


async def test_frozen_client_delays_nobody_and_gets_the_newest_when_it_thaws(
    database, hub, alice, worker, session
):
    await database.run(worker.write, {"A": "0.10", "B": "0.10"})
    frozen = Client()
    async with (
        aclosing(
            hub.events(hub.stream(session, alice), await database.run(sight.of, session))
        ) as chunks,
        watching(hub, alice) as quick,
    ):
        frozen.feed(await anext(chunks))
        frozen.feed(await anext(chunks))
        for cents in range(11, 61):
            await database.run(worker.write, {"A": f"0.{cents}"})
        await until(lambda: quick.bids == {"A": "0.6", "B": "0.1"})

        async with asyncio.timeout(10):
            frozen.feed(await anext(chunks))

    assert frozen.bids == {"A": "0.6", "B": "0.1"}
    assert frozen.types.count("position") == 1


async def test_account_that_cannot_be_shown_says_so_and_the_others_go_on(
    database, hub, alice, worker, monkeypatch
):
    other = await database.run(rows.make_account)
    others_worker = await database.run(rows.Worker, other)
    await database.run(worker.write, {"A": "0.10"})
    await database.run(others_worker.write, {"B": "0.10"})
    encode = documents.position_document

    def encode_none_of_alice(row):
        if row.account_id == alice:
            raise RuntimeError("a bug")
        return encode(row)

    with monkeypatch.context() as bug:
        bug.setattr(documents, "position_document", encode_none_of_alice)
        async with watching(hub, other) as theirs, watching(hub, alice) as client:
            await until(lambda: client.connection.get("reason") == "set_aside")
            positions_meanwhile = dict(client.positions)
            await database.run(others_worker.write, {"B": "0.20"})
            await until(lambda: theirs.bids == {"B": "0.2"})
            bug.undo()
            # Without news of it, and without another stream.
            await until(lambda: client.bids == {"A": "0.1"})

            assert positions_meanwhile == {}
            assert client.connection["reason"] != "set_aside"
            assert not theirs.is_ended
            assert not client.is_ended


async def test_two_accounts_never_see_each_other(database, hub, alice, worker):
    charlies = await database.run(rows.make_account)
    charlies_worker = await database.run(rows.Worker, charlies)
    async with watching(hub, alice) as alice_sees, watching(hub, charlies) as charlie_sees:
        await database.run(worker.write, {"A": "0.10"})
        await database.run(charlies_worker.write, {"C": "0.30"})
        await until(lambda: alice_sees.bids == {"A": "0.1"})
        await until(lambda: charlie_sees.bids == {"C": "0.3"})

    assert {event["ticker"] for event in alice_sees.events if "ticker" in event} <= {"A"}
    assert {event["ticker"] for event in charlie_sees.events if "ticker" in event} <= {"C"}


async def test_state_that_the_worker_wrote_is_told(database, hub, alice, worker):
    now = timezone.now()
    async with watching(hub, alice) as client:
        for status in ("live", "reconnecting", "disconnected", "maintenance", "unauthorized"):
            state = ConnectionState(status, since=now, attempt=2, reason="unreachable")
            await database.run(worker.beat)
            await database.run(functools.partial(worker.write, status=state))
            await until(lambda status=status: client.connection.get("status") == status)


async def test_announcement_that_cannot_be_read_starts_the_streams_over_and_is_logged(
    database, hub, alice, worker, caplog
):
    await database.run(worker.write, {"A": "0.10"})
    async with watching(hub, alice) as client:
        await until(lambda: client.events)
        await until(database.is_listened_to)

        await database.run(publish, "account_changed", "not three numbers")
        await until(lambda: client.is_ended)
    async with watching(hub, alice) as again:
        await until(lambda: again.bids == {"A": "0.1"})
        await until(database.is_listened_to)
        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: again.bids == {"A": "0.2"})

    assert [record.message for record in caplog.records if record.exc_info] == ["hub failed"]


async def test_stopping_a_hub_ends_streams_and_lets_go_of_the_database(database, alice, worker):
    hub = Hub()
    await hub.start()
    async with watching(hub, alice) as client:
        await until(lambda: client.events)

        await hub.stop()

        await until(lambda: client.is_ended)

    async def is_alone() -> bool:
        # The server's processes take a moment to go.
        others = await database.fetch(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usename = user"
        )
        return not others

    await until(is_alone)
