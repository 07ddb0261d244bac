"""A feed keeps the rows equal to the exchange, through everything that can happen to either."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import credentials, setting_aside
from accounts.encryption import Secret
from accounts.models import Account, AccountKey, Credential
from kalshi.errors import ClockSkew
from kalshi.protocol import TOO_MANY_COMMANDS, TOO_MANY_MARKETS
from kalshi.resources import PositionRow
from kalshi.rest import Client
from kalshi.rows import Rows
from kalshi.socket import Socket
from positions import models
from positions.fencing import TakenOver
from sandbox import keys, session
from sandbox.account import Portfolio
from sandbox.faults import FailedAnswer, Latency, RefusedCommands
from streaming.worker import agenda, key_list, upstream
from streaming.worker.course import Connect, Idle
from streaming.worker.feed import Feed
from tests.integration.streaming import faults, rows
from tests.integration.streaming.conftest import feeding, stuck_database
from tests.waiting import PATIENCE_SECONDS, until

SECOND = timedelta(seconds=1)


@pytest.fixture
def unheld(alices) -> str:
    """A market that she never traded; to be asked for before her feed."""
    ticker = max(alices.positions)
    del alices.positions[ticker]
    return ticker


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A feed that reads REST again soon."""
    monkeypatch.setattr(agenda, "DEBOUNCE_SECONDS", 0.1)
    monkeypatch.setattr(agenda, "FILL_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(agenda, "RETRY_SECONDS", 0.1)


@pytest.fixture
async def live(database, alice, credential, start_feed):
    """Her feed, live."""
    feed = await start_feed(alice)
    await database.until(status_is, alice, "live")
    return feed


async def test_key_that_is_made_while_the_account_is_followed_is_known_as_its_own(
    database, alice, credential, start_feed, sandbox, monkeypatch
):
    monkeypatch.setattr(key_list, "LIST_SECONDS", 0.05)
    await start_feed(alice)

    def listed() -> set[str]:
        return {each.api_key_id for each in AccountKey.objects.filter(account_id=alice)}

    await database.until(lambda: listed() == {sandbox.key_id})
    made = keys.new_ed25519()
    sandbox.add_key(made)

    await database.until(lambda: listed() == {sandbox.key_id, made.api_key_id})


def status_is(
    account_id: int, status: str, reason: str | None = None
) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    is_it = stream.status == status and (reason is None or stream.reason == reason)
    return stream if is_it else None


def held_is(account_id: int, alices: Portfolio) -> bool:
    """Whether the rows are the exchange's holdings to the digit."""
    ours = {
        ticker: (row.quantity, row.exposure, row.realized_pnl, row.fees_paid)
        for ticker, row in rows.open_positions(account_id).items()
    }
    theirs = {
        ticker: (each.quantity, each.exposure, each.realized_pnl, each.fees_paid)
        for ticker, each in alices.positions.items()
        if each.quantity
    }
    return ours == theirs


def bid_is(account_id: int, ticker: str, bid: Decimal) -> bool:
    return rows.open_positions(account_id)[ticker].yes_bid == bid


def has_bid(account_id: int, ticker: str, bid: Decimal) -> bool:
    """Whether it is held by now, with this bid."""
    row = rows.open_positions(account_id).get(ticker)
    return row is not None and row.yes_bid == bid


def cash_is(account_id: int, cash: Decimal) -> bool:
    return rows.stream_of(account_id).cash == cash


async def test_feed_connects_reconciles_and_goes_live(database, alice, alices, live, sandbox):
    stream = await database.run(rows.stream_of, alice)
    held = await database.run(rows.open_positions, alice)

    assert await database.run(held_is, alice, alices)
    assert stream.cash == alices.cash
    assert stream.position_count == len(held)
    assert (stream.reason, stream.retry_at, stream.live_until) == (None, None, None)
    assert stream.attempt == 0
    assert stream.reconciled_at is not None
    assert faults.subscribed_markets(sandbox) == set(held)


async def test_titles_follow(database, alice, alices, live, sandbox):
    titles = {
        sandbox.exchange.events[sandbox.exchange.markets[ticker].event_ticker].title
        for ticker, held in alices.positions.items()
        if held.quantity
    }

    def are_told() -> bool:
        return {row.market.title for row in rows.open_positions(alice).values()} == titles

    # They are asked for beside, and hold up nothing.
    await database.until(are_told)


async def test_tick_becomes_a_row(database, alice, live, sandbox, tickers):
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))

    await database.until(bid_is, alice, tickers[0], Decimal("0.21"))
    row = (await database.run(rows.open_positions, alice))[tickers[0]]
    assert row.mark == Decimal("0.21")
    assert row.unrealized_pnl == row.quantity * Decimal("0.21") - row.exposure


async def test_fill_becomes_position_and_cash(database, alice, live, sandbox, alices, tickers):
    sandbox.fill(tickers[0], "yes", Decimal(3), Decimal("0.30"))

    await database.until(held_is, alice, alices)
    await database.until(cash_is, alice, alices.cash)


async def test_lost_position_frame_is_repaired(database, alice, live, sandbox, alices, tickers):
    happened = faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    faults.tell(sandbox, happened, ["fill", "ticker"])

    await database.until(held_is, alice, alices)


async def test_lost_position_frame_is_repaired_although_the_fill_before_was_whole(
    database, impatient, alice, live, sandbox, alices, tickers
):
    sandbox.fill(tickers[0], "yes", Decimal(1), Decimal("0.30"))
    await database.until(held_is, alice, alices)
    happened = faults.fill_untold(sandbox, tickers[1], "yes", "3", "0.30")
    faults.tell(sandbox, happened, ["fill", "ticker"])

    await database.until(held_is, alice, alices)


async def test_position_frame_alone_is_enough(database, alice, live, sandbox, alices, tickers):
    happened = faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    # REST is of no help.
    sandbox.is_refusing = True
    faults.tell(sandbox, happened, ["market_positions"])

    await database.until(held_is, alice, alices)
    sandbox.is_refusing = False
    await database.until(cash_is, alice, alices.cash)


async def test_all_frames_lost_are_made_up_for_by_a_refresh(
    database, alice, live, sandbox, alices, tickers
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")

    live.refresh()

    await database.until(held_is, alice, alices)
    await database.until(cash_is, alice, alices.cash)


async def test_market_just_bought_has_its_title_and_its_ticks(
    database, alice, unheld, live, sandbox, alices
):
    sandbox.fill(unheld, "no", Decimal(4), Decimal("0.30"))
    await database.until(held_is, alice, alices)
    await until(lambda: unheld in faults.subscribed_markets(sandbox))

    sandbox.set_quote(unheld, Decimal("0.41"), Decimal("0.44"))

    await database.until(bid_is, alice, unheld, Decimal("0.41"))
    row = (await database.run(rows.open_positions, alice))[unheld]
    event = sandbox.exchange.events[sandbox.exchange.markets[unheld].event_ticker]
    assert row.market.title == event.title
    assert row.quantity == -4


async def test_position_sold_out_is_closed(database, alice, live, sandbox, alices, tickers):
    quantity = alices.positions[tickers[0]].quantity
    sandbox.fill(tickers[0], "no", quantity, Decimal("0.30"))

    await database.until(held_is, alice, alices)
    tombstone = await database.run(models.Position.objects.get, market__ticker=tickers[0])
    assert (tombstone.quantity, tombstone.closed_reason) == (0, "closed")
    assert tombstone.realized_pnl == alices.positions[tickers[0]].realized_pnl


async def test_determination_is_shown_within_seconds_and_settlement_closes_the_position(
    database, alice, live, sandbox, tickers
):
    held = (await database.run(rows.open_positions, alice))[tickers[0]]
    sandbox.close(tickers[0])

    sandbox.determine(tickers[0], Decimal(1))

    await database.until(mark_is, alice, tickers[0], "settlement")
    sandbox.settle(tickers[0])
    closed = await database.until(closed_as, alice, tickers[0], "settled")
    payout = held.quantity if held.quantity > 0 else 0
    assert closed.realized_pnl == held.realized_pnl + payout - held.exposure


async def test_determination_counts_although_rest_does_not_show_it_yet(
    database, alice, live, sandbox, tickers
):
    held = (await database.run(rows.open_positions, alice))[tickers[0]]
    sandbox.close(tickers[0])
    # Longer than this test takes.
    sandbox.faults.path_latencies["/markets"] = Latency(120, "there")

    sandbox.determine(tickers[0], Decimal("0.37"))

    await database.until(mark_is, alice, tickers[0], "settlement")
    shown = (await database.run(rows.open_positions, alice))[tickers[0]]
    price = Decimal("0.37") if held.quantity > 0 else Decimal("0.63")
    assert (shown.mark, shown.market_value) == (price, abs(held.quantity) * price)


def mark_is(account_id: int, ticker: str, source: str) -> bool:
    return rows.open_positions(account_id)[ticker].mark_source == source


def closed_as(account_id: int, ticker: str, reason: str) -> models.Position | None:
    closed = models.Position.objects.filter(account=account_id, closed_reason=reason)
    return closed.filter(market__ticker=ticker).first()


async def test_frames_of_another_subaccount_are_ignored(
    database, alice, live, sandbox, alices, tickers
):
    alices_other = Portfolio(1, Decimal(500), sandbox.clock())
    sandbox.account.portfolios[1] = alices_other

    sandbox.fill(tickers[0], "yes", Decimal(3), Decimal("0.30"), subaccount=1)
    # Of ours, and later: what came before it has been taken in too.
    sandbox.fill(tickers[1], "yes", Decimal(1), Decimal("0.30"))

    await database.until(held_is, alice, alices)
    await database.until(cash_is, alice, alices.cash)


async def test_dropped_socket_is_told_and_then_made_good(
    database, alice, credential, start_feed, sandbox, alices, tickers
):
    before = timezone.now()
    await start_feed(alice, seconds_per_delay=60.0)
    await database.until(status_is, alice, "live")

    sandbox.drop_connections()
    # Not "unreachable": nothing was tried yet.
    lost = await database.until(waits_to_reconnect, alice)

    assert lost.reason == "connection_lost"
    assert before < lost.live_until <= timezone.now()
    assert lost.attempt == 1
    assert lost.retry_at > timezone.now() + 20 * SECOND


def waits_to_reconnect(account_id: int) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    return stream if stream.status == "reconnecting" and stream.retry_at else None


async def test_what_happened_while_away_is_there_after_reconnecting(
    database, alice, unheld, live, sandbox, alices, tickers
):
    sandbox.drop_connections()
    faults.fill_untold(sandbox, unheld, "yes", "3", "0.30")
    faults.fill_untold(sandbox, tickers[0], "yes", "2", "0.30")

    await database.until(held_is, alice, alices)
    stream = await database.until(status_is, alice, "live")
    assert stream.live_until is None


async def test_circuit_opens_after_five_failures_and_closes_with_the_exchange_back(
    database, alice, live, sandbox, alices
):
    before = timezone.now()
    sandbox.is_refusing = True
    sandbox.drop_connections()

    down = await database.until(status_is, alice, "disconnected")
    assert down.reason == "exchange_failing"
    assert down.attempt >= 5
    assert down.live_until <= before + 5 * SECOND

    sandbox.is_refusing = False
    await database.until(status_is, alice, "live")
    assert await database.run(held_is, alice, alices)


async def test_failures_are_counted_on_until_a_connection_has_proved_steady(
    database, alice, live, sandbox
):
    attempts = count_attempts(sandbox)
    sandbox.drop_connections()
    await until(lambda: attempts)
    await database.until(status_is, alice, "live")

    sandbox.is_refusing = True
    sandbox.drop_connections()

    down = await database.until(status_is, alice, "disconnected")
    assert down.attempt >= 5


async def test_refresh_ends_a_wait_at_once(database, alice, credential, start_feed, sandbox):
    sandbox.is_refusing = True
    feed = await start_feed(alice, seconds_per_delay=600.0)
    await database.until(status_is, alice, "reconnecting", "exchange_failing")
    sandbox.is_refusing = False

    feed.refresh()

    await database.until(status_is, alice, "live")


async def test_refused_key_is_noted_and_not_tried_again_by_itself(
    database, alice, live, sandbox, alices
):
    before = await database.run(rows.quantities, alice)
    attempts = count_attempts(sandbox)

    sandbox.revoke_key(sandbox.key_id)

    stream = await database.until(status_is, alice, "unauthorized", "key_refused")
    refused = await database.run(Credential.objects.get)
    assert refused.status == "refused"
    assert sandbox.private_key not in refused.refused_reason
    # Minutes, not seconds.
    assert stream.retry_at > timezone.now() + 200 * SECOND
    assert stream.live_until is not None
    assert await database.run(rows.quantities, alice) == before
    # One answer may be a mistake on the way: it was asked once more.
    assert len(attempts) == 2


async def test_refresh_tries_a_refused_key_once(database, alice, live, sandbox):
    sandbox.revoke_key(sandbox.key_id)
    await database.until(status_is, alice, "unauthorized")
    attempts = count_attempts(sandbox)

    live.refresh()
    await until(lambda: attempts)
    await until(lambda: isinstance(live._course.step, Idle))
    # The next one is what asking once more leads to: the first has led to no other.
    live.refresh()
    await until(lambda: len(attempts) == 2)

    assert (await database.run(rows.stream_of, alice)).status == "unauthorized"


async def test_single_refusal_in_mid_session_is_asked_once_more(
    database, alice, live, sandbox, caplog
):
    sandbox.faults.answers.append(FailedAnswer(401, path="/account/limits"))

    sandbox.drop_connections()

    # Looked for by what lasts: between two connections there may be an instant alone.
    await until(lambda: not sandbox.faults.answers and sandbox.connection_count == 1)
    await database.until(status_is, alice, "live")
    assert await database.run(lambda: Credential.objects.usable().exists())
    assert "key refused" not in caplog.messages


async def test_single_refusal_of_a_read_leaves_the_stream_live(
    database, alice, live, sandbox, alices, tickers, caplog
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    sandbox.faults.answers.append(FailedAnswer(401, path="/portfolio/positions"))

    live.refresh()

    await database.until(held_is, alice, alices)
    assert "refused in mid-session" in caplog.messages
    assert sandbox.connection_count == 1
    assert (await database.run(rows.stream_of, alice)).status == "live"


async def test_single_complaint_about_the_clock_leaves_the_stream_live(
    database, alice, live, sandbox, alices, tickers, monkeypatch, caplog
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    positions, complaints = Client.positions, [ClockSkew()]

    async def complain_once(client: Client, subaccount: int) -> Rows[PositionRow]:
        if complaints:
            raise complaints.pop()
        return await positions(client, subaccount)

    monkeypatch.setattr(Client, "positions", complain_once)
    live.refresh()

    await database.until(held_is, alice, alices)
    assert "refused in mid-session" in caplog.messages
    assert sandbox.connection_count == 1


@pytest.fixture
def lacking(monkeypatch) -> dict[str, int]:
    """By ticker, how many of the next lists of positions lack its row."""
    positions, lacked = Client.positions, {}

    async def some(client, subaccount=0):
        read = await positions(client, subaccount)
        left_out = {ticker for ticker, times in lacked.items() if times}
        for ticker in left_out:
            lacked[ticker] -= 1
        return Rows([row for row in read if row.ticker not in left_out], read.left_out)

    monkeypatch.setattr(Client, "positions", some)
    return lacked


async def test_position_that_one_list_lacks_stays(
    database, impatient, alice, live, lacking, tickers, caplog
):
    lacking[tickers[0]] = 1
    first = (await database.run(rows.stream_of, alice)).reconciled_at

    live.refresh()
    await until(lambda: not lacking[tickers[0]])
    # Soon, as that one is not to be believed.
    await database.until(lambda: rows.stream_of(alice).reconciled_at > first)

    assert tickers[0] in await database.run(rows.open_positions, alice)
    second = (await database.run(rows.stream_of, alice)).reconciled_at
    await database.until(lambda: rows.stream_of(alice).reconciled_at > second)
    assert tickers[0] in await database.run(rows.open_positions, alice)


async def test_position_that_two_lists_lack_is_no_more(
    database, impatient, alice, live, lacking, tickers
):
    lacking[tickers[0]] = 2

    live.refresh()

    await database.until(lambda: tickers[0] not in rows.open_positions(alice))
    # And comes back as the exchange tells of it again.
    live.refresh()
    await database.until(lambda: tickers[0] in rows.open_positions(alice))


async def test_dead_key_is_known_although_the_handshake_does_not_say_so(
    database, alice, credential, start_feed, sandbox
):
    sandbox.faults.answers += [
        FailedAnswer(401, "text", "/ws", times=None),
        FailedAnswer(401, path="/account/limits", times=None),
        FailedAnswer(401, path="/portfolio/positions", times=None),
    ]

    await start_feed(alice, seconds_per_delay=0.1)

    await database.until(status_is, alice, "unauthorized", "key_refused")


async def test_refresh_while_a_subscription_hangs_is_not_forgotten(
    database, alice, credential, start_feed, sandbox, monkeypatch
):
    sandbox.faults.muted.add("ticker")
    feed = await start_feed(alice, seconds_per_delay=600.0)
    # Its first commands are answered.
    await until(lambda: feed._upstream and feed._upstream._authority.is_reconciled)
    hanging = feed._upstream
    await until(lambda: hanging._socket.unanswered_seconds > 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(upstream, "COMMAND_TIMEOUT_SECONDS", 0.5)

        feed.refresh()
        sandbox.clear_faults()
        # The next attempt has its full time.
        await until(lambda: feed._upstream is not hanging)

    # Not after ten minutes.
    await database.until(status_is, alice, "live")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", ["html", "text", "empty"])
@pytest.mark.parametrize("path", ["", "/ws"], ids=["everywhere", "handshake"])
async def test_edge_that_turns_us_away_says_nothing_of_the_key(
    database, alice, credential, start_feed, sandbox, status, body, path
):
    sandbox.faults.answers.append(FailedAnswer(status, body, path, times=None))

    # After five failures it is said otherwise: that must not come before anybody looks.
    await start_feed(alice, seconds_per_delay=1.0)

    await database.until(status_is, alice, "reconnecting", "unreachable")
    assert await database.run(lambda: Credential.objects.usable().exists())
    sandbox.clear_faults()
    await database.until(status_is, alice, "live")


async def test_refresh_during_a_hanging_attempt_is_not_forgotten(
    database, alice, credential, start_feed, sandbox
):
    sandbox.is_refusing = True
    sandbox.faults.path_latencies["/account/limits"] = Latency(0.5, "there")
    feed = await start_feed(alice, seconds_per_delay=600.0)
    await until(lambda: isinstance(feed._course.step, Connect))

    feed.refresh()
    sandbox.is_refusing = False

    # Not after ten minutes.
    await database.until(status_is, alice, "live")


async def test_command_that_is_never_answered_leads_to_a_new_connection(
    database, alice, credential, start_feed, sandbox, monkeypatch
):
    monkeypatch.setattr(upstream, "COMMAND_TIMEOUT_SECONDS", 0.3)
    sandbox.faults.muted.add("ticker")

    await start_feed(alice)
    await database.until(attempted_again, alice)
    sandbox.clear_faults()

    await database.until(status_is, alice, "live")


def attempted_again(account_id: int) -> bool:
    return rows.stream_of(account_id).attempt >= 2


async def test_channel_that_is_not_needed_and_not_answered_keeps_no_account_from_going_live(
    database, alice, credential, start_feed, sandbox, monkeypatch
):
    monkeypatch.setattr(upstream, "COMMAND_TIMEOUT_SECONDS", 0.5)
    sandbox.faults.muted.add("market_lifecycle_v2")

    await start_feed(alice)

    await database.until(status_is, alice, "live")


async def test_refused_key_that_is_good_again_is_usable_again(
    database, alice, live, sandbox, alices
):
    key = sandbox.exchange.key(sandbox.key_id)
    sandbox.revoke_key(sandbox.key_id)
    await database.until(status_is, alice, "unauthorized")
    sandbox.exchange.add_key(key)

    live.refresh()

    await database.until(status_is, alice, "live")
    await database.until(lambda: Credential.objects.usable().exists())


async def test_key_that_may_not_read_the_portfolio_is_refused(
    database, alice, start_feed, sandbox, sandbox_environment
):
    narrow = keys.new_ed25519()
    sandbox.add_key(narrow, scopes=("write",))
    await database.run(
        rows.make_credential,
        alice,
        sandbox,
        api_key_id=narrow.api_key_id,
        private_key=narrow.private_key,
    )

    await start_feed(alice)

    await database.until(status_is, alice, "unauthorized")


async def test_next_key_is_used_when_one_is_refused(
    database, alice, credential, start_feed, sandbox
):
    unknown = keys.new_ed25519()
    newer = await database.run(
        rows.make_credential,
        alice,
        sandbox,
        api_key_id=unknown.api_key_id,
        private_key=unknown.private_key,
    )

    await start_feed(alice)

    await database.until(status_is, alice, "live")
    assert await database.run(credentials.held_by, alice) == credentials.HeldCredentials(
        usable=(credential,), refused=(newer,)
    )


async def test_key_that_is_deleted_while_in_use_gives_way_to_the_other(
    database, alice, credential, live, sandbox
):
    other = keys.new_ed25519()
    sandbox.add_key(other)

    def replace_key() -> None:
        rows.make_credential(
            alice, sandbox, api_key_id=other.api_key_id, private_key=other.private_key
        )
        credentials.delete_credential([Account.objects.get(pk=alice)], credential)

    await database.run(replace_key)
    live.look_at_credentials()

    await until(lambda: faults.key_ids(sandbox) == [other.api_key_id])
    await database.until(status_is, alice, "live")


async def test_deleted_key_leaves_the_figures(database, alice, credential, live):
    before = await database.run(rows.quantities, alice)

    def delete() -> None:
        credentials.delete_credential([Account.objects.get(pk=alice)], credential)

    await database.run(delete)
    live.look_at_credentials()

    stream = await database.until(status_is, alice, "disconnected", "no_credential")
    assert stream.live_until is not None
    assert await database.run(rows.quantities, alice) == before


async def test_account_that_is_set_aside_leaves_the_exchange_until_it_is_taken_back(
    database, alice, credential, live, sandbox
):
    before = await database.run(rows.quantities, alice)

    await database.run(setting_aside.set_aside, [alice])
    live.look_at_credentials()

    stream = await database.until(status_is, alice, "disconnected", "set_aside_by_staff")
    assert stream.live_until is not None
    assert await database.run(rows.quantities, alice) == before
    await until(lambda: sandbox.connection_count == 0)

    # Whoever looks at the page asks for a try, which is not theirs to have.
    live.refresh()
    await database.run(setting_aside.take_back, [alice])
    live.look_at_credentials()

    await database.until(status_is, alice, "live")


async def test_new_key_after_the_last_one_was_deleted_is_used(
    database, alice, start_feed, sandbox, sandbox_environment
):
    feed = await start_feed(alice)
    await database.until(status_is, alice, "disconnected", "no_credential")

    await database.run(rows.make_credential, alice, sandbox)
    feed.look_at_credentials()

    await database.until(status_is, alice, "live")


async def test_key_that_cannot_be_opened_is_told(
    database, alice, credential, start_feed, settings, caplog
):
    settings.ENCRYPTION_SECRET_KEY = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]

    await start_feed(alice)

    await database.until(status_is, alice, "disconnected", "credential_unreadable")


@pytest.mark.parametrize(
    "stored",
    [
        {"private_key": Secret(b"\x00\xff")},
        {"private_key": Secret.seal("no key")},
        {"api_key_id": "line\nbreak"},
    ],
    ids=["bytes", "no key", "no key id"],
)
async def test_stored_text_that_is_no_key_is_told_until_there_is_one(
    database, alice, credential, start_feed, sandbox, stored
):
    stored_keys = Credential.objects.filter(pk=credential)
    await database.run(lambda: stored_keys.update(**stored))
    feed = await start_feed(alice)

    await database.until(status_is, alice, "disconnected", "credential_unreadable")
    await database.run(lambda: stored_keys.all().delete())
    await database.run(rows.make_credential, alice, sandbox)
    feed.look_at_credentials()

    await database.until(status_is, alice, "live")


async def test_skewed_clock_is_no_refused_key(database, alice, credential, start_feed, sandbox):
    sandbox.clock = lambda: datetime.now(UTC) + timedelta(minutes=5)
    await start_feed(alice, seconds_per_delay=0.1)

    await database.until(status_is, alice, "reconnecting", "clock_skew")
    sandbox.clock = lambda: datetime.now(UTC)

    await database.until(status_is, alice, "live")
    assert await database.run(lambda: Credential.objects.usable().exists())


async def test_maintenance_is_told_with_its_end(database, alice, credential, start_feed, sandbox):
    resumes_at = timezone.now() + timedelta(hours=2)
    sandbox.exchange.exchange_active = False
    sandbox.exchange.resume_time = resumes_at
    # Nothing else answers then, not even the WebSocket.
    sandbox.is_refusing = True
    await start_feed(alice, seconds_per_delay=0.1)

    stream = await database.until(status_is, alice, "maintenance")
    assert stream.retry_at == resumes_at

    sandbox.exchange.exchange_active, sandbox.is_refusing = True, False
    await database.until(status_is, alice, "live")


async def test_maintenance_that_should_be_over_names_the_next_look(
    database, alice, credential, start_feed, sandbox
):
    sandbox.exchange.exchange_active = False
    sandbox.exchange.resume_time = timezone.now() - timedelta(hours=1)

    await start_feed(alice, seconds_per_delay=60.0)

    stream = await database.until(status_is, alice, "maintenance")
    assert stream.retry_at > timezone.now()


async def test_balance_refused_for_now_comes_later(
    database, alice, credential, start_feed, sandbox, alices
):
    sandbox.faults.answers.append(FailedAnswer(429, path="/portfolio/balance", times=2))

    await start_feed(alice)

    stream = await database.until(status_is, alice, "live")
    assert stream.cash is None
    assert stream.total_value is None
    await database.until(cash_is, alice, alices.cash)


async def test_reconciliation_that_fails_leaves_the_stream_live(
    database, impatient, alice, live, sandbox, alices, tickers, caplog
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    sandbox.is_refusing = True
    live.refresh()
    await until(lambda: "reconciliation failed" in caplog.messages)
    sandbox.set_quote(tickers[1], Decimal("0.31"), Decimal("0.34"))
    await database.until(bid_is, alice, tickers[1], Decimal("0.31"))

    sandbox.is_refusing = False

    await database.until(held_is, alice, alices)
    assert sandbox.connection_count == 1


async def test_what_was_bought_while_positions_cannot_be_read_is_not_shown_as_lost(
    database, impatient, alice, unheld, live, sandbox, alices, tickers
):
    before = await database.run(rows.stream_of, alice)
    asked = count_calls(sandbox, "/trade-api/v2/portfolio/balance")
    sandbox.faults.answers.append(FailedAnswer(503, path="/portfolio/positions", times=None))

    sandbox.fill(unheld, "yes", Decimal(100), Decimal("0.50"))
    # Read, found to be fifty dollars less, looked for, and told again.
    await until(lambda: len(asked) >= 3)
    # What was told with them is written by now.
    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
    await database.until(bid_is, alice, tickers[0], Decimal("0.21"))

    assert await database.run(cash_is, alice, before.cash)
    sandbox.faults.answers.clear()
    await database.until(held_is, alice, alices)
    await database.until(cash_is, alice, alices.cash)


async def test_market_that_is_sold_and_bought_again_has_the_price_of_between(
    database, alice, live, sandbox, alices, tickers
):
    [ticker, *_] = [each for each in tickers if alices.positions[each].quantity > 0]
    sandbox.lag(markets=timedelta(seconds=1.5))

    sandbox.fill(ticker, "no", alices.positions[ticker].quantity, Decimal("0.50"))
    await database.until(lambda: ticker not in rows.open_positions(alice))
    # It is told of while nothing is held, and REST has yet to say so.
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.24"))
    sandbox.fill(ticker, "yes", Decimal(5), Decimal("0.24"))

    await database.until(has_bid, alice, ticker, Decimal("0.21"))


async def test_market_is_read_when_its_close_time_has_passed(
    database, alice, live, sandbox, tickers
):
    sandbox.reschedule(tickers[0], timedelta(seconds=6))

    await database.until(
        lambda: rows.open_positions(alice)[tickers[0]].market_status not in ("active", "inactive")
    )


@pytest.mark.parametrize(
    "frame",
    ["secret {", '{"type":"ticker","msg":{"market_ticker":7}}', '["list"]', "\x00"],
    ids=["no JSON", "wrong field", "no object", "control character"],
)
async def test_garbled_frame_is_logged_without_its_content_and_answered_by_one_reconciliation(
    database, impatient, alice, live, sandbox, alices, tickers, frame, caplog
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")

    for _ in range(5):
        await faults.say(sandbox, frame)

    await database.until(held_is, alice, alices)
    complaints = [record for record in caplog.records if record.message == "frame not understood"]
    # One line for all of them.
    (complaint,) = complaints
    assert "secret" not in complaint.reason
    assert sandbox.connection_count == 1
    assert (await database.run(rows.stream_of, alice)).status == "live"


async def test_error_that_names_no_command_costs_one_reconciliation(
    database, impatient, alice, live, sandbox, alices, tickers, caplog
):
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")

    await faults.say(sandbox, '{"type": "error", "msg": {"code": 1, "msg": "unable to process"}}')

    await database.until(held_is, alice, alices)
    assert "error of no command" in caplog.messages
    assert sandbox.connection_count == 1


@pytest.mark.parametrize("code", [9, 10])
async def test_error_that_may_have_ended_a_subscription_ends_the_connection(
    database, alice, live, sandbox, code, caplog
):
    await faults.say(sandbox, json.dumps({"type": "error", "msg": {"code": code, "msg": "no"}}))

    await until(lambda: "connection failed" in caplog.messages)
    await database.until(status_is, alice, "live")


async def test_price_that_cannot_be_understood_is_unknown_until_rest_says_it(
    database, impatient, alice, live, sandbox, tickers
):
    def shown() -> tuple[str | None, Decimal | None]:
        held = rows.open_positions(alice)[tickers[0]]
        return held.unreadable, held.mark

    sandbox.set_quote(tickers[0], Decimal("0.31"), Decimal("0.34"))
    await database.until(bid_is, alice, tickers[0], Decimal("0.31"))
    odd = {"market_ticker": tickers[0], "yes_bid_dollars": "0.5000", "yes_ask_dollars": None}
    sandbox.is_refusing = True

    await faults.say(sandbox, json.dumps({"type": "ticker", "sid": 1, "msg": odd}))
    await database.until(lambda: shown() == ("market", None))
    sandbox.is_refusing = False

    await database.until(lambda: shown()[0] is None)
    assert await database.run(bid_is, alice, tickers[0], Decimal("0.31"))
    assert sandbox.connection_count == 1


def without(channel: str) -> tuple[str, ...]:
    """The sandbox's channels but one."""
    return tuple(each for each in session.CHANNELS if each != channel)


async def test_account_is_live_though_the_exchange_does_not_tell_what_becomes_of_its_markets(
    database, alice, credential, start_feed, sandbox, tickers, monkeypatch, caplog
):
    monkeypatch.setattr(session, "CHANNELS", without("market_lifecycle_v2"))

    await start_feed(alice)
    await database.until(status_is, alice, "live")
    sandbox.set_quote(tickers[0], Decimal("0.31"), Decimal("0.34"))
    await database.until(bid_is, alice, tickers[0], Decimal("0.31"))

    assert sandbox.connection_count == 1
    refused = [each for each in caplog.records if each.message == "subscription refused"]
    assert {(each.channel, each.code) for each in refused} == {("market_lifecycle_v2", 8)}


async def test_channel_that_only_helps_may_go_on_failing(
    database, alice, live, sandbox, tickers, caplog
):
    def ended() -> int:
        return caplog.messages.count("subscription ended")

    for times in (1, 2):
        # The end is in the log before the channel is asked for again.
        await until(lambda: sandbox.fail_channel("market_lifecycle_v2", 10))
        await until(lambda times=times: ended() == times)
    sandbox.set_quote(tickers[0], Decimal("0.31"), Decimal("0.34"))

    await database.until(bid_is, alice, tickers[0], Decimal("0.31"))
    assert (await database.run(rows.stream_of, alice)).status == "live"
    assert sandbox.connection_count == 1


async def test_account_whose_prices_the_exchange_does_not_tell_is_not_live(
    database, alice, credential, start_feed, sandbox, monkeypatch, caplog
):
    monkeypatch.setattr(session, "CHANNELS", without("ticker"))

    await start_feed(alice)
    await until(lambda: "connection failed" in caplog.messages)

    assert not await database.run(status_is, alice, "live")


async def test_subscription_that_the_exchange_ended_is_renewed(
    database, alice, live, sandbox, tickers
):
    assert sandbox.fail_channel("ticker", 25) == 1
    await until(lambda: faults.subscribed_markets(sandbox))

    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))

    await database.until(bid_is, alice, tickers[0], Decimal("0.21"))
    assert sandbox.connection_count == 1


async def assert_stream_tells(database, account_id, sandbox, *tickers) -> None:
    """Prices come by the stream: REST says nothing."""
    sandbox.is_refusing = True
    for ticker in tickers:
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.24"))
        await database.until(has_bid, account_id, ticker, Decimal("0.21"))


@pytest.mark.parametrize("code", [TOO_MANY_MARKETS, 11])
async def test_account_whose_markets_a_subscription_does_not_take_is_live(
    database, alice, credential, start_feed, sandbox, tickers, code
):
    sandbox.faults.refusals.append(RefusedCommands("ticker", code))

    await start_feed(alice)
    await until(lambda: faults.follows_all(sandbox))
    await database.until(status_is, alice, "live")

    await assert_stream_tells(database, alice, sandbox, *tickers)


async def test_market_that_is_bought_while_all_are_followed_is_told_of(
    database, alice, unheld, credential, start_feed, sandbox
):
    sandbox.faults.refusals.append(RefusedCommands("ticker", TOO_MANY_MARKETS))
    await start_feed(alice)
    await until(lambda: faults.follows_all(sandbox))
    await database.until(status_is, alice, "live")

    sandbox.fill(unheld, "yes", Decimal(5), Decimal("0.20"))
    await database.until(lambda: unheld in rows.open_positions(alice))

    await assert_stream_tells(database, alice, sandbox, unheld)


async def test_market_that_is_bought_when_the_subscription_takes_no_more_is_followed(
    database, alice, unheld, live, sandbox, tickers
):
    sandbox.faults.refusals.append(RefusedCommands("ticker", TOO_MANY_MARKETS))

    sandbox.fill(unheld, "yes", Decimal(5), Decimal("0.20"))
    await until(lambda: faults.follows_all(sandbox))
    await database.until(status_is, alice, "live")

    await assert_stream_tells(database, alice, sandbox, tickers[0], unheld)


async def test_market_of_which_the_exchange_was_asked_too_often_is_followed_a_little_later(
    database, alice, unheld, live, sandbox, tickers
):
    attempts = count_attempts(sandbox)
    sandbox.faults.refusals.append(RefusedCommands("ticker", TOO_MANY_COMMANDS))

    sandbox.fill(unheld, "yes", Decimal(5), Decimal("0.20"))
    await until(lambda: unheld in faults.subscribed_markets(sandbox))

    assert not sandbox.faults.refusals
    await assert_stream_tells(database, alice, sandbox, tickers[0], unheld)
    assert (await database.run(rows.stream_of, alice)).status == "live"
    assert not attempts


async def test_subscription_that_is_asked_for_too_often_to_stand_is_no_live_account(
    database, alice, live, sandbox, tickers
):
    attempts = count_attempts(sandbox)
    sandbox.faults.refusals.append(RefusedCommands("ticker", TOO_MANY_COMMANDS))

    assert sandbox.fail_channel("ticker", 25) == 1

    await until(lambda: attempts)
    await until(lambda: faults.subscribed_markets(sandbox))
    await database.until(status_is, alice, "live")


async def test_subscription_that_stays_incomplete_is_connected_anew(
    database, alice, unheld, live, sandbox, monkeypatch
):
    attempts = count_attempts(sandbox)
    sandbox.faults.refusals.append(RefusedCommands("ticker", TOO_MANY_COMMANDS, times=None))

    with monkeypatch.context() as impatience:
        impatience.setattr(upstream, "GO_LIVE_SECONDS", 1.0)
        sandbox.fill(unheld, "yes", Decimal(5), Decimal("0.20"))
        await until(lambda: attempts)
    sandbox.faults.refusals.clear()

    await until(lambda: unheld in faults.subscribed_markets(sandbox))
    await database.until(status_is, alice, "live")


async def test_trade_from_before_the_stream_told_of_any_is_found_soon_though_rest_lags(
    database, alice, credential, start_feed, sandbox, alices, tickers
):
    # As it was recorded to, or a little more: less than two clocks may differ by.
    sandbox.lag(account=timedelta(seconds=0.5))
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")

    await start_feed(alice)

    # All is read anew after 44 seconds at the soonest.
    await database.until(held_is, alice, alices)
    await database.until(status_is, alice, "live")


@pytest.mark.parametrize("channel", ["market_positions", "fill"])
async def test_trade_from_while_a_subscription_was_renewed_is_found_soon_though_rest_lags(
    database, alice, live, sandbox, alices, tickers, channel
):
    first = (await database.run(rows.stream_of, alice)).reconciled_at
    # The reads that follow a start are over then.
    await database.until(lambda: rows.stream_of(alice).reconciled_at > first)
    sandbox.lag(account=timedelta(seconds=4))

    assert sandbox.fail_channel(channel, 25) == 1
    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")

    await database.until(held_is, alice, alices)
    assert sandbox.connection_count == 1


async def test_connection_that_ended_is_told_although_the_ledger_keeps_on(
    database, alice, credential, start_feed, sandbox, monkeypatch
):
    is_done = asyncio.Event()

    async def keep_on(self, historian):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            # As a call that is under way in its thread.
            await is_done.wait()

    monkeypatch.setattr(Feed, "_keep_ledger", keep_on)
    await start_feed(alice)
    await database.until(status_is, alice, "live")

    sandbox.drop_connections()
    await database.until(status_is, alice, "reconnecting")

    is_done.set()
    await database.until(status_is, alice, "live")


async def test_machine_that_has_slept_connects_anew(
    database, alice, live, sandbox, alices, tickers, monkeypatch
):
    attempts = count_attempts(sandbox)
    with monkeypatch.context() as asleep:
        # The clock by which pings are sent has stood still, and what the socket holds is old.
        asleep.setattr(Socket, "silent_seconds", 8 * 3600.0)
        await until(lambda: attempts)

    await database.until(status_is, alice, "live")
    await database.until(held_is, alice, alices)


async def test_subscription_that_keeps_ending_is_not_renewed_in_a_tight_loop(
    database, alice, live, sandbox, tickers
):
    attempts = count_attempts(sandbox)
    assert sandbox.fail_channel("ticker", 25) == 1

    # As soon as it is subscribed to again.
    await until(lambda: sandbox.fail_channel("ticker", 25))

    # A new connection, after a wait that grows with each.
    await until(lambda: attempts)
    await until(lambda: faults.subscribed_markets(sandbox))
    await database.until(status_is, alice, "live")


async def test_read_loop_does_not_wait_for_the_database(database, alice, live, sandbox, tickers):
    async with stuck_database(live):
        before = (await database.run(rows.stream_of, alice)).seq
        for cents in range(10, 60):
            sandbox.set_quote(tickers[0], Decimal(cents) / 100, Decimal("0.90"))
            sandbox.set_quote(tickers[1], Decimal(cents) / 100, Decimal("0.90"))
        await until(lambda: live._tracker._open[tickers[1]].market.quote.yes_bid == Decimal("0.59"))

    await database.until(bid_is, alice, tickers[0], Decimal("0.59"))
    await database.until(bid_is, alice, tickers[1], Decimal("0.59"))
    # A write that was under way, and one with all of these hundred; and a feed that has just gone
    # live has a few of its own: the balance, the day, whether there is netting.
    assert (await database.run(rows.stream_of, alice)).seq < before + 20


async def test_lost_database_connection_costs_no_change(database, alice, live, sandbox, tickers):
    await database.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
    )

    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))

    await database.until(bid_is, alice, tickers[0], Decimal("0.21"))
    assert sandbox.connection_count == 1


async def test_feed_says_goodbye(database, alice, credential, sandbox):
    before = timezone.now()
    async with feeding(alice):
        await database.until(status_is, alice, "live")

    stream = await database.run(rows.stream_of, alice)
    assert (stream.status, stream.reason) == ("reconnecting", "worker_down")
    assert stream.live_until >= before
    await until(lambda: sandbox.connection_count == 0)


async def test_feed_that_was_taken_over_writes_nothing_more(
    database, alice, credential, sandbox, tickers
):
    async with feeding(alice) as (_, task):
        await database.until(status_is, alice, "live")
        await database.run(rows.Worker, alice)
        # Only now: a flush of its first ticks may have come before.
        before = await database.run(rows.stream_of, alice)

        sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)

        with pytest.raises(TakenOver):
            task.result()
    after = await database.run(rows.stream_of, alice)
    assert (after.seq, after.epoch) == (before.seq, before.epoch)


async def test_bug_ends_the_feed(database, alice, credential, sandbox, tickers, monkeypatch):
    async with feeding(alice) as (feed, task):
        await database.until(status_is, alice, "live")

        monkeypatch.setattr(feed._tracker, "apply_ticker", None)
        sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)

        with pytest.raises(TypeError):
            task.result()


async def test_old_tombstones_are_purged(database, alice, credential, start_feed, sandbox):
    def leave_tombstones() -> None:
        worker = rows.Worker(alice)
        worker.write({"OLD": "0.10", "NEW": "0.10"})
        worker.write(closed=["OLD", "NEW"])
        old = models.Position.objects.filter(market__ticker="OLD")
        old.update(updated_at=timezone.now() - timedelta(hours=2))

    def tombstones() -> set[str]:
        flat = models.Position.objects.of(alice).filter(quantity=0)
        return {row.market.ticker for row in flat}

    await database.run(leave_tombstones)
    await start_feed(alice)

    await database.until(lambda: tombstones() == {"NEW"})


def count_attempts(sandbox) -> list[str]:
    """Attempts to connect from now on, each begun by this call."""
    return count_calls(sandbox, "/trade-api/v2/account/limits")


def count_calls(sandbox, path: str) -> list[str]:
    """Calls of a path from now on."""
    asked: list[str] = []
    check = sandbox._signer

    def signer(request):
        if request.path == path:
            asked.append(request.path)
        return check(request)

    sandbox._signer = signer
    return asked
