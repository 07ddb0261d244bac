"""One stream of all accounts that a session sees."""

import pytest

from accounts import forgetting, sessions
from accounts.models import Account, User
from streaming.web import hub as hub_module
from tests.integration import visitors
from tests.integration.streaming import rows
from tests.integration.streaming.clients import Client, watching
from tests.waiting import until


@pytest.fixture
def unpolled(monkeypatch) -> None:
    """A hub that hears, and never looks by itself; to be asked for before the hub."""
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 3600.0)


@pytest.fixture
async def owner(database) -> User:
    return await database.run(visitors.make_user)


@pytest.fixture
def add_account(database, owner):
    """Another account of the owner; its id."""

    async def add(environment: str = "sandbox", **fields) -> int:
        account = await database.run(
            visitors.make_account, owner, environment=environment, **fields
        )
        return account.pk

    return add


@pytest.fixture
async def session(database, owner):
    return (await database.run(visitors.person_session, owner))[0]


def of_account(client: Client, account_id: int) -> list[dict]:
    return [event for event in client.events if event.get("account_id") == account_id]


def sums(client: Client) -> list[dict]:
    return [
        event
        for event in client.events
        if event["type"] == "portfolio" and event["account_id"] is None
    ]


async def test_each_account_comes_with_its_snapshot_and_its_news(
    database, hub, add_account, session
):
    first, second = await add_account(), await add_account()
    writers = {each: await database.run(rows.Worker, each) for each in (first, second)}
    await database.run(writers[first].write, {"A": "0.10"})
    await database.run(writers[second].write, {"A": "0.20"})

    async with watching(hub, None, session) as client:
        await until(lambda: of_account(client, first) and of_account(client, second))
        await database.run(writers[second].write, {"A": "0.30"})
        await until(lambda: "position" in client.types)

    # Each account is read by itself: which of them comes first is chance.
    assert sorted(
        (event["account_id"], event["positions"][0]["yes_bid"])
        for event in client.events
        if event["type"] == "snapshot"
    ) == [(first, "0.1"), (second, "0.2")]
    [news] = [event for event in client.events if event["type"] == "position"]
    assert (news["account_id"], news["yes_bid"]) == (second, "0.3")
    assert all("account_id" in event for event in client.events)


async def test_stream_of_one_account_has_nothing_of_the_others(database, hub, add_account, session):
    first, second = await add_account(), await add_account()
    for account_id in (first, second):
        await database.run((await database.run(rows.Worker, account_id)).write, {"A": "0.10"})

    async with watching(hub, None, session) as everything, watching(hub, second, session) as one:
        await until(lambda: of_account(everything, first) and of_account(everything, second))
        await until(lambda: one.events)

    assert {event["account_id"] for event in one.events} == {second}


async def test_sum_follows_each_of_its_accounts(database, hub, add_account, session):
    first, second = await add_account(), await add_account()
    await add_account("demo")
    for account_id in (first, second):
        await database.run(rows.Worker, account_id)
    await database.run(rows.reconcile, first, positions_value="10", unrealized_pnl="2")

    async with watching(hub, None, session) as client:
        await until(lambda: sums(client))
        await database.run(rows.reconcile, second, positions_value="30", unrealized_pnl="-4")
        await until(lambda: sums(client)[-1]["positions_value"])

    unknown, known = sums(client)[0], sums(client)[-1]
    assert {event["environment"] for event in sums(client)} == {"sandbox"}
    assert (unknown["positions_value"], unknown["version"]) == (None, None)
    assert (known["positions_value"], known["unrealized_pnl"]) == ("40", "-2")
    assert known["unrealized_pnl_percent"] == "-4.761905"  # of 42, which they cost


async def test_single_account_of_an_environment_has_no_sum(database, hub, add_account, session):
    await add_account("sandbox")
    second = await add_account("demo")

    async with watching(hub, None, session) as client:
        await until(lambda: of_account(client, second))

    assert sums(client) == []


async def test_account_that_is_the_same_one_at_the_exchange_counts_once(
    database, hub, add_account, session
):
    first = await add_account()
    second = await add_account(same_as_id=first)
    for account_id in (first, second):
        await database.run(rows.Worker, account_id)
        await database.run(rows.reconcile, account_id, positions_value="10", unrealized_pnl="2")

    async with watching(hub, None, session) as client:
        await until(lambda: sums(client))

    assert sums(client)[-1]["positions_value"] == "10"


async def test_added_account_comes_with_its_snapshot(
    database, unpolled, hub, add_account, session, owner
):
    first = await add_account()
    async with watching(hub, None, session) as client:
        await until(lambda: of_account(client, first))
        await until(database.is_listened_to)

        second = await add_account()
        await database.run(visitors.key_session, await database.run(Account.objects.get, pk=second))
        await until(lambda: of_account(client, second))
        await until(lambda: sums(client))

    assert not client.is_ended
    assert client.types.count("snapshot") == 2


async def test_forgotten_account_is_told_to_be_gone_and_the_others_go_on(
    database, unpolled, hub, add_account, session, owner
):
    first, second = await add_account(), await add_account()
    writer = await database.run(rows.Worker, first)
    async with (
        watching(hub, None, session) as client,
        watching(hub, second, session) as of_the_gone,
    ):
        await until(lambda: of_account(client, first) and of_account(client, second))
        await until(lambda: of_the_gone.events)
        await until(database.is_listened_to)

        await database.run(forgetting.forget_accounts, owner, [second])
        await until(lambda: "account_removed" in client.types)
        await until(lambda: of_the_gone.is_ended)
        await database.run(writer.write, {"A": "0.10"})
        await until(lambda: client.bids == {"A": "0.1"})

    assert of_account(client, second)[-1]["type"] == "account_removed"
    assert of_the_gone.types[-1] == "account_removed"
    assert not client.is_ended


async def test_session_of_a_key_gets_the_accounts_whose_keys_were_shown_in_it(
    database, unpolled, hub, add_account, owner
):
    first, second = await add_account(), await add_account()
    shown = await database.run(Account.objects.get, pk=first)
    of_key, _ = await database.run(visitors.key_session, shown)

    async with watching(hub, None, of_key) as client:
        await until(lambda: of_account(client, first))
        await until(database.is_listened_to)
        before = {event["account_id"] for event in client.events}

        other = await database.run(Account.objects.get, pk=second)
        await database.run(visitors.key_session, other, of_key)
        await until(lambda: of_account(client, second))

    assert before == {first}


async def test_session_without_an_account_has_a_stream_that_gives_signs_of_life(
    database, hub, session, monkeypatch
):
    monkeypatch.setattr(hub_module, "KEEPALIVE_SECONDS", 1)

    async with watching(hub, None, session) as client:
        await until(lambda: client.received.count(b":\n\n") >= 2)

    assert client.events == []


async def test_signing_out_everywhere_ends_the_streams_of_all_sessions(
    database, unpolled, hub, add_account, session, owner
):
    account = await add_account()
    other, _ = await database.run(visitors.person_session, owner)
    async with watching(hub, None, session) as here, watching(hub, account, other) as there:
        await until(lambda: here.events and there.events)
        await until(database.is_listened_to)

        await database.run(sessions.end_all, owner)
        await until(lambda: here.is_ended and there.is_ended)


async def test_nothing_is_kept_of_accounts_that_nobody_watches(database, hub, add_account, session):
    await add_account()
    await add_account()

    async with watching(hub, None, session) as client:
        await until(lambda: sums(client))
        assert (len(hub._accounts), len(hub._sums)) == (2, 1)

    await until(lambda: not hub._streams)
    assert (hub._accounts, hub._sums) == ({}, {})
