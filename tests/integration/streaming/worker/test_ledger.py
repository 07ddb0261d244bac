"""What happens at the exchange gets into the ledger, live and from the past."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from kalshi.errors import RequestRejected, Unavailable
from kalshi.rest import Client
from ledger import closing, following, holes
from ledger.models import (
    Balance,
    EquityPoint,
    Fill,
    Followed,
    Hole,
    MarketChange,
    RecordedPosition,
    Settlement,
    Transfer,
)
from positions.models import AccountStream
from sandbox.commands import perform
from sandbox.faults import FailedAnswer, Faults
from sandbox.server import Sandbox, running_exchange, utc_now
from streaming.worker import historian, past, persistence
from tests.integration.streaming.conftest import feeding
from tests.waiting import until


def is_past_read(account_id: int) -> bool:
    return (
        Hole.objects.filter(account_id=account_id).exists()
        and not holes.being_filled(account_id).exists()
    )


def cash_of(account_id: int) -> tuple[Decimal, bool] | None:
    stream = AccountStream.objects.get(pk=account_id)
    return None if stream.cash is None else (stream.cash, stream.cash_provisional)


async def test_past_is_read_at_the_first_sign_in(database, alice, credential, start_feed, alices):
    await start_feed(alice)

    await database.until(is_past_read, alice)

    def read():
        return {(fill.trade_id, fill.cash_flow) for fill in Fill.objects.filter(account_id=alice)}

    told = {(fill.trade_id, fill.cash_flow) for fill in alices.fills}
    assert await database.until(lambda: read() == told)


async def test_fill_is_recorded_with_its_position(
    database, sandbox, alice, credential, start_feed, alices, tickers
):
    await start_feed(alice)
    await database.until(is_past_read, alice)
    await database.until(lambda: cash_of(alice) == (alices.cash, False))

    sandbox.fill(tickers[0], "yes", Decimal("2.50"), Decimal("0.41"))

    fill = alices.fills[-1]
    row = await database.until(
        lambda: Fill.objects.filter(account_id=alice, trade_id=fill.trade_id).first()
    )
    assert (row.cash_flow, row.fee, row.quantity_after) == (
        fill.cash_flow,
        fill.fee,
        fill.post_quantity,
    )
    position = alices.positions[tickers[0]]
    book = await database.run(
        RecordedPosition.objects.get, account_id=alice, market__ticker=tickers[0]
    )
    assert (book.exposure, book.realized_pnl, book.fees_paid) == (
        position.exposure,
        position.realized_pnl,
        position.fees_paid,
    )
    assert await database.until(lambda: cash_of(alice) == (alices.cash, False))


async def test_settlement_deposit_and_balance_are_recorded(
    database, sandbox, alice, credential, start_feed, alices, tickers
):
    await start_feed(alice)
    await database.until(is_past_read, alice)

    sandbox.determine(tickers[0], Decimal(1))
    sandbox.settle(tickers[0])
    sandbox.transfer("deposit", 25000, fee_cents=500)

    row = await database.until(lambda: Settlement.objects.filter(account_id=alice).first())
    paid = alices.settlements[-1]
    assert (row.cash_flow, row.result, row.source) == (paid.revenue, "yes", "exchange")
    assert row.realized_pnl == paid.revenue - paid.position.exposure
    deposit = await database.until(lambda: Transfer.objects.filter(account_id=alice).first())
    assert (deposit.kind, deposit.cash_flow) == ("deposit", Decimal(245))
    assert await database.until(lambda: cash_of(alice) == (alices.cash, False))
    last = await database.until(
        lambda: Balance.objects.filter(account_id=alice, amount=alices.cash).last()
    )
    assert last.known_since <= last.known_until


async def test_day_begins_with_the_first_point(database, alice, credential, start_feed):
    await start_feed(alice)

    point = await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    stream = await database.until(
        lambda: AccountStream.objects.filter(pk=alice, day_pnl_since=point.at).first()
    )

    assert point.is_baseline
    assert stream.day_pnl == stream.total_value - point.total_value


async def test_deposit_of_an_absence_is_no_profit_of_the_day_that_follows(
    database, sandbox, alice, credential, start_feed
):
    """The balance has it before its list was read: the day must not begin in between."""
    async with feeding(alice):
        await database.until(is_past_read, alice)
        await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    await database.run(lambda: EquityPoint.objects.filter(account_id=alice).delete())
    sandbox.transfer("deposit", 50000)

    await start_feed(alice)

    point = await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())
    assert point.cash == sandbox.account.portfolios[0].cash
    stream = await database.until(
        lambda: AccountStream.objects.filter(pk=alice, day_pnl_since=point.at).first()
    )
    assert stream.day_pnl == 0


async def test_netting_that_can_not_be_read_stays_as_it_was_told(
    database, sandbox, alice, credential, start_feed
):
    def followed(**how: object) -> Followed | None:
        return Followed.objects.filter(account_id=alice, **how).first()

    async with feeding(alice):
        before = await database.until(lambda: followed(is_netting=True))
    netting = "/portfolio/subaccounts/netting"
    sandbox.faults.answers.append(FailedAnswer(500, path=netting, times=None))

    await start_feed(alice)
    after = await database.until(lambda: followed(until__gt=before.until))

    assert after.is_netting


@pytest.mark.parametrize(
    ("failing", "names"),
    [
        ("/portfolio/settlements", {"fills", "transfers"}),
        ("/portfolio/fills", {"settlements", "transfers"}),
    ],
)
async def test_list_that_fails_for_good_keeps_no_other_waiting(
    database, sandbox, alice, credential, start_feed, alices, tickers, failing, names, monkeypatch
):
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(persistence, "SOONEST_RETRY_SECONDS", 0.05)
    sandbox.determine(tickers[1], Decimal(1))
    sandbox.settle(tickers[1])
    sandbox.transfer("deposit", 25000, fee_cents=500)
    sandbox.faults.answers.append(FailedAnswer(500, path=failing, times=None))

    def kept() -> set[str]:
        return {
            name
            for name, model in {
                "fills": Fill,
                "settlements": Settlement,
                "transfers": Transfer,
            }.items()
            if model.objects.filter(account_id=alice).exists()
        }

    await start_feed(alice)

    await database.until(lambda: kept() == names)
    await database.until(
        lambda: Balance.objects.filter(account_id=alice, amount=alices.cash).exists()
    )
    hole = await database.run(Hole.objects.get, account_id=alice)
    # Nothing is said to be whole that lacks one of its lists.
    assert (hole.filled_at, hole.until) == (None, hole.opened_until)
    sandbox.faults.answers.clear()
    await database.until(is_past_read, alice)
    assert await database.run(kept) == {"fills", "settlements", "transfers"}


async def test_fills_are_read_once_while_the_settlements_of_their_stretch_fail(
    database, sandbox, alice, credential, start_feed, monkeypatch
):
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(persistence, "SOONEST_RETRY_SECONDS", 0.05)
    asked: list[str] = []
    failure_of = Faults.failure_of

    def note(self, path: str):
        asked.append(path)
        return failure_of(self, path)

    # Every call is held against the faults.
    monkeypatch.setattr(Faults, "failure_of", note)
    failing = FailedAnswer(500, path="/portfolio/settlements", times=None)
    sandbox.faults.answers.append(failing)

    await start_feed(alice)
    # By the present, and by the past several times.
    await until(lambda: asked.count(failing.path) >= 8)
    sandbox.faults.answers.clear()
    await database.until(is_past_read, alice)

    # Which only the past reads.
    assert asked.count("/historical/fills") == 1


async def test_what_becomes_of_a_market_is_recorded_once(
    database, sandbox, alice, credential, start_feed, tickers
):
    def told() -> list[tuple[str, Decimal | None]]:
        changes = MarketChange.objects.filter(account_id=alice, market__ticker=tickers[0])
        return list(changes.order_by("pk").values_list("status", "settlement_value"))

    await start_feed(alice)
    await database.until(is_past_read, alice)
    await database.until(lambda: AccountStream.objects.get(pk=alice).status == "live")
    expected = []
    for status, happen in (
        ("inactive", lambda: sandbox.pause(tickers[0])),
        ("determined", lambda: sandbox.determine(tickers[0], Decimal(1))),
        ("finalized", lambda: sandbox.settle(tickers[0])),
    ):
        happen()
        expected.append((status, None if status == "inactive" else Decimal(1)))
        assert await database.until(lambda: told() == expected), status

    await database.until(lambda: Settlement.objects.filter(account_id=alice).exists())
    assert await database.run(told) == expected


async def test_row_that_becomes_readable_closes_its_hole(
    database, sandbox, alice, credential, start_feed, alices
):
    odd = alices.fills[0].trade_id
    await perform(
        sandbox, {"do": "spoil", "path": "/portfolio/fills", "row": odd, "field": "count_fp"}
    )

    def given_up() -> list[tuple[str, bool]]:
        mine = Hole.objects.filter(account_id=alice).exclude(reason="")
        return [(hole.reason.split(":")[0], hole.filled_at is None) for hole in mine]

    def not_tried_for_an_hour() -> None:
        mine = Hole.objects.filter(account_id=alice).exclude(reason="")
        mine.update(tried_at=timezone.now() - holes.TRY_AGAIN)

    def is_recorded() -> bool:
        return Fill.objects.filter(account_id=alice, trade_id=odd).exists()

    async with feeding(alice):
        await database.until(is_past_read, alice)
    assert await database.run(given_up) == [(f"fill {odd}", True)]

    # Odd still, an hour later.
    await database.run(not_tried_for_an_hour)
    async with feeding(alice):
        await database.until(lambda: not holes.to_try(alice, timezone.now()))
    assert not await database.run(is_recorded)

    await perform(sandbox, {"do": "clear"})
    await database.run(not_tried_for_an_hour)
    await start_feed(alice)

    await database.until(lambda: given_up() == [(f"fill {odd}", False)])
    assert await database.run(is_recorded)
    assert await database.until(lambda: not following.late_markets(alice))
    told = {fill.trade_id: fill.cash_flow for fill in alices.fills}
    assert await database.until(
        lambda: (
            dict(Fill.objects.filter(account_id=alice).values_list("trade_id", "cash_flow")) == told
        )
    )


async def test_records_that_are_found_count_though_what_follows_fails_at_first(
    database, sandbox, alice, credential, start_feed, alices, monkeypatch
):
    odd = alices.fills[0].trade_id
    spoil = {"do": "spoil", "path": "/portfolio/fills", "row": odd, "field": "count_fp"}
    await perform(sandbox, spoil)
    async with feeding(alice):
        await database.until(is_past_read, alice)
    await perform(sandbox, {"do": "clear"})
    ago = timezone.now() - holes.TRY_AGAIN
    await database.run(Hole.objects.exclude(reason="").update, tried_at=ago)
    has_changed, failed, reckoned = past.Past._has_changed, [], []

    async def fail_at_first(self: past.Past) -> None:
        # The next try finds the records known.
        if self._has_news and not failed:
            failed.append(True)
            raise Unavailable("No answer.")
        await has_changed(self)
        reckoned.append(self._has_news)

    monkeypatch.setattr(past.Past, "_has_changed", fail_at_first)
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)

    await start_feed(alice)

    await until(lambda: True in reckoned)
    assert failed


async def test_hole_that_can_not_be_asked_for_keeps_no_other_waiting(
    database, sandbox, alice, credential, start_feed, monkeypatch
):
    async with feeding(alice):
        await database.until(is_past_read, alice)
    now = timezone.now()

    def given_up(hours: int) -> Hole:
        since, until = now - timedelta(hours=hours + 1), now - timedelta(hours=hours)
        holes.give_up(alice, since, until, f"fill {hours}: odd", now, is_named=True)
        hole = Hole.objects.get(account_id=alice, until=until)
        Hole.objects.filter(pk=hole.pk).update(tried_at=now - holes.TRY_AGAIN)
        return hole

    newest, older = [await database.run(given_up, hours) for hours in (10, 20)]
    pages = Client.settlement_pages

    def fail_for_the_newest(self, subaccount: int, **options: object):
        if options.get("until") == newest.opened_until:
            raise RequestRejected(404)
        return pages(self, subaccount, **options)

    monkeypatch.setattr(Client, "settlement_pages", fail_for_the_newest)

    await start_feed(alice)

    await database.until(lambda: Hole.objects.filter(pk=older.pk, filled_at__gte=now).exists())
    tried = await database.run(Hole.objects.get, pk=newest.pk)
    assert tried.filled_at is None


async def test_amendment_of_a_long_absence_that_keeps_its_time_is_read(
    database, sandbox, alice, credential, start_feed, alices, tickers, monkeypatch
):
    sandbox.close(tickers[0])
    sandbox.determine(tickers[0], Decimal(1))
    sandbox.settle(tickers[0])
    async with feeding(alice):
        await database.until(is_past_read, alice)
        await database.until(lambda: Settlement.objects.filter(account_id=alice).exists())
    [paid] = alices.settlements
    amended = replace(paid, yes_value=1 - paid.yes_value, revenue=paid.revenue + 5)
    alices.settlements[0] = amended
    # As if so long ago that the present does not look back to it.
    monkeypatch.setattr(holes, "SHORT_ABSENCE", timedelta(0))
    monkeypatch.setattr(holes, "OVERLAP", timedelta(0))
    monkeypatch.setattr(historian, "SETTLEMENTS_AGAIN", timedelta(0))

    await start_feed(alice)

    def told() -> set[Decimal]:
        mine = Settlement.objects.filter(account_id=alice)
        return set(mine.values_list("revenue", flat=True))

    await database.until(lambda: told() == {paid.revenue, amended.revenue})


@pytest.fixture
def at_another(settings, sandbox_environment, credentials):
    """The exchange, begun anew under the same key."""

    @asynccontextmanager
    async def begun(**world: object) -> AsyncIterator[Sandbox]:
        async with running_exchange(credentials=credentials, **world) as another:
            settings.KALSHI_ENVIRONMENTS = {
                "sandbox": replace(
                    sandbox_environment, api_base=another.api_base, ws_url=another.ws_url
                )
            }
            yield another

    return begun


def recorded(account_id: int) -> dict[str, datetime]:
    return dict(Fill.objects.filter(account_id=account_id).values_list("trade_id", "at"))


async def test_exchange_that_begins_anew_leaves_nothing_of_the_old_world(
    database, sandbox, alice, credential, alices, start_feed, at_another
):
    """The sandbox does at each start, and nothing of it is real money."""
    async with feeding(alice):
        await database.until(is_past_read, alice)
        await database.until(lambda: EquityPoint.objects.filter(account_id=alice).exists())
    old = await database.run(recorded, alice)
    assert old.keys() == {fill.trade_id for fill in alices.fills}

    # The same chances, so the same names, at other times.
    async with at_another(positions=10, clock=lambda: utc_now() + timedelta(seconds=10)) as another:
        told = {fill.trade_id: fill.cash_flow for fill in another.account.portfolios[0].fills}
        assert told.keys() == old.keys()
        await start_feed(alice)

        new = await database.until(
            lambda: is_past_read(alice) and (rows := recorded(alice)) != old and rows
        )
        stream = await database.until(
            lambda: AccountStream.objects.filter(pk=alice, day_pnl__isnull=False).first()
        )

    assert new.keys() == told.keys()
    assert all(at > old[trade_id] for trade_id, at in new.items())
    assert stream.day_pnl == 0


async def test_exchange_that_goes_on_keeps_what_was_recorded(
    database, sandbox, alice, credential, alices, start_feed
):
    async with feeding(alice):
        await database.until(is_past_read, alice)
        point = await database.until(lambda: EquityPoint.objects.filter(account_id=alice).first())

    await start_feed(alice)

    sandbox.transfer("deposit", 25000)
    await database.until(lambda: Transfer.objects.filter(account_id=alice).exists())
    assert await database.run(EquityPoint.objects.filter(pk=point.pk).exists)
    assert (await database.run(recorded, alice)).keys() == {fill.trade_id for fill in alices.fills}


async def test_past_is_read_to_its_end_though_ends_of_markets_can_not_be(
    alice, credential, start_feed, monkeypatch
):
    tries: list[bool] = []

    async def derive(*args: object, **options: object) -> int:
        tries.append(True)
        raise RequestRejected(404) if len(tries) % 2 else Unavailable("No answer.")

    monkeypatch.setattr(closing, "derive_settlements", derive)
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)

    fed = await start_feed(alice)

    await until(lambda: fed._upstream and not fed._upstream._historian.is_reading_past)
    # It is asked for again all the same.
    await until(lambda: len(tries) > 2)


async def test_new_fills_are_read_once_where_the_exchange_tells_no_age(
    database, sandbox, alice, credential, start_feed, tickers, monkeypatch
):
    """Also while the settlements, with which they are followed, can't be read."""
    monkeypatch.setattr(historian, "BETWEEN_SECONDS", 0.01)
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.05)
    for path in ("/exchange/user_data_timestamp", "/portfolio/settlements"):
        sandbox.faults.answers.append(FailedAnswer(500, path=path, times=None))
    since: list[datetime] = []
    listed = Client.fill_pages

    def note(self, subaccount: int, **options: object):
        if not options["archived"] and "until" not in options:
            since.append(options["since"])
        return listed(self, subaccount, **options)

    monkeypatch.setattr(Client, "fill_pages", note)
    monkeypatch.setattr(historian, "LONGEST_LAG", timedelta())
    # Told to the second it would go back and forth.
    later = property(lambda self: timezone.now() + timedelta(seconds=1))
    monkeypatch.setattr(Client, "exchange_now", later)
    await start_feed(alice)
    await until(lambda: len(since) > 3)

    assert since == sorted(since)
    assert since[-1] > since[0]


async def test_settlements_that_no_list_tells_are_derived_every_hour(
    alice, credential, start_feed, monkeypatch
):
    """Never those of the last day, which the exchange's list may still tell."""
    asked: list[timedelta] = []

    async def derive(*args: object, before: datetime, **options: object) -> int:
        asked.append(timezone.now() - before)
        return 0

    monkeypatch.setattr(closing, "derive_settlements", derive)
    monkeypatch.setattr(holes, "TRY_AGAIN", timedelta(seconds=0.05))

    await start_feed(alice)

    await until(lambda: len(asked) > 2)
    assert min(asked) >= timedelta(days=1)
