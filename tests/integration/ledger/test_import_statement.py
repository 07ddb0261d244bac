"""`manage.py import_statement`: trades that are older than the ledger."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from accounts.models import Account
from ledger import importing, recording
from ledger.management.commands import import_statement
from ledger.models import Followed, Hole, ImportedTrade
from ledger.records import Fill
from positions import workers
from positions.taking_over import open_stream
from postgres import patience
from postgres.patience import Patience
from tests.integration.visitors import make_account
from tests.unit.ledger.test_statement import HEADER, line

pytestmark = pytest.mark.django_db

# That of the row which `line` makes, and when it was closed.
TICKER = "KXHIGHNY-25JUL24-T81"
OPENED = datetime(2025, 7, 24, 13, 15, 0, 250_000, UTC)
CLOSED = datetime(2025, 7, 25, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def followed_account(until: datetime = CLOSED + timedelta(days=365)) -> Account:
    """One whose own records have been read, of which there are none so far."""
    account = make_account()
    Followed.objects.create(account=account, until=until)
    return account


@pytest.fixture
def account():
    return followed_account()


@pytest.fixture
def file_of(tmp_path):
    def write(*lines: str, start: bytes = b"", end: str = "\n"):
        path = tmp_path / "statement.csv"
        path.write_bytes(start + "".join(f"{each}{end}" for each in (HEADER, *lines)).encode())
        return path

    return write


def imported(path, *arguments: str) -> str:
    out = StringIO()
    call_command("import_statement", str(path), *arguments, stdout=out)
    return out.getvalue()


def refused(path, *arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        imported(path, *arguments)
    assert not ImportedTrade.objects.exists()
    return str(refusal.value)


def bought(account, at: datetime, ticker: str = TICKER) -> None:
    fill = Fill(
        f"{ticker} {at}", "order", ticker, at, "yes", Decimal(1), Decimal("0.4"), Decimal(0)
    )
    recording.record(account.pk, [fill], at)


def test_large_file_says_how_far_it_is(account, file_of, monkeypatch, capsys):
    monkeypatch.setattr(importing, "_BATCH", 2)
    monkeypatch.setattr(import_statement, "_TOLD_EVERY", 4)

    imported(file_of(*[line() for _ in range(9)]))

    assert capsys.readouterr().err == "4 trades read …\n8 trades read …\n"


@pytest.mark.django_db(transaction=True)
def test_import_holds_up_no_takeover_and_lets_no_other_in(account, file_of, monkeypatch):
    monkeypatch.setattr(importing, "_BATCH", 1)
    path = file_of(line())
    epochs, refusals = [], []

    def take_over() -> None:
        worker_id = uuid4()
        workers.beat(worker_id)
        epochs.append(open_stream(account.pk, worker_id, "mid").writer.fence.epoch)

    def import_too() -> None:
        with pytest.raises(OperationalError) as refusal, path.open("rb") as source:
            importing.import_file(account, source)
        refusals.append(str(refusal.value))

    def meanwhile(_: int) -> None:
        for do in (take_over, import_too):
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(impatiently, do).result()

    with path.open("rb") as source:
        importing.import_file(account, source, on_progress=meanwhile)

    assert epochs == [1]
    assert refusals[0].startswith("canceling statement due to lock timeout")


def impatiently(do: Callable[[], None]) -> None:
    patience.adopt_in_thread(Patience(lock=0.2))
    try:
        do()
    finally:
        connection.close()


def test_trade_is_imported_as_the_statement_has_it(account, file_of):
    told = imported(file_of(line()))

    row = ImportedTrade.objects.get()
    assert told == (
        f"Account {account.pk}, demo: 1 trades imported, closed from 2025-07-25T01:30:00Z to "
        "2025-07-25T01:30:00Z.\n"
    )
    assert (row.account, row.ticker, row.side, row.count) == (account, TICKER, "yes", 10)
    assert (row.opened_at, row.closed_at) == (OPENED, CLOSED)
    assert (row.average_entry_price, row.average_exit_price) == (Decimal("0.4"), Decimal("0.55"))
    assert (row.fees_paid, row.net_pnl, row.result) == (Decimal("0.35"), Decimal("1.15"), None)


def test_statement_comes_by_the_standard_input_too(account, file_of, monkeypatch):
    with file_of(line(), start=b"\xef\xbb\xbf").open() as statement:
        monkeypatch.setattr("sys.stdin", statement)

        assert imported("-").startswith(f"Account {account.pk}, demo: 1 trades imported")


def test_same_row_twice_is_two_trades_and_same_file_twice_is_nothing(account, file_of):
    imported(file_of(line(), line()))

    told = imported(file_of(line(), line()))

    assert ImportedTrade.objects.count() == 2
    assert told.endswith(": 0 trades imported; 2 were there already.\n")


def test_later_statement_brings_only_what_is_new(account, file_of):
    imported(file_of(line()))

    imported(file_of(line(), line(), line(side="no")))

    assert sorted(ImportedTrade.objects.values_list("side", flat=True)) == ["no", "yes", "yes"]


def test_file_saved_by_a_spreadsheet_is_the_same_file(account, file_of):
    imported(file_of(line()))

    told = imported(
        file_of(line(quantity="10.00", side='"yes"'), start=b"\xef\xbb\xbf", end="\r\n")
    )

    assert "0 trades imported; 1 were there already" in told


def test_nothing_of_a_file_with_a_bad_row_is_imported(account, file_of):
    lines = [line(market_ticker=f"M-{number}") for number in range(2_500)]

    message = refused(file_of(*lines, line(quantity="x"), "trade"))

    assert message == (
        "Nothing was imported.\n"
        "line 2502: quantity is no number\n"
        "line 2503: has fewer cells than the first line has columns"
    )


def test_only_the_first_of_many_reasons_are_named(account, file_of):
    message = refused(file_of(*["trade"] * 1_000))

    assert len(message.splitlines()) == 22
    assert message.endswith("and 980 more")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1_000,
        b"PK\x03\x04" + bytes(range(256)),
        HEADER.encode("utf-16"),
        f"{HEADER}\n".encode() + b"\xff" * 100,
        f"{HEADER}\n".encode() + b"x" * 10_000_000,
        f'{HEADER}\n"'.encode() + b"\n" * 10_000,
        f"{HEADER}\n{line(market_ticker='=1+1')}".encode(),
    ],
    ids=["empty", "NUL", "zip", "UTF-16", "no UTF-8", "10 MB line", "open quote", "formula"],
)
def test_hostile_file_is_refused_in_words(account, tmp_path, content):
    path = tmp_path / "hostile"
    path.write_bytes(content)

    message = refused(path)

    assert message.startswith("Nothing was imported.\nline ")
    assert message.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("first_record", "period"),
    [
        (OPENED - HOUR, "2025-07-24T12:15:00.250000Z"),
        (CLOSED - HOUR, "2025-07-25T00:30:00Z"),
        (CLOSED, "2025-07-25T01:30:00Z"),
    ],
)
def test_trade_closed_since_the_records_begin_is_refused(account, file_of, first_record, period):
    bought(account, first_record, "ANOTHER")

    message = refused(file_of(line()))

    assert message == (
        "Nothing was imported.\nline 2: closes at 2025-07-25T01:30:00Z, and the account's own "
        f"records are complete from {period} on"
    )


def test_trade_closed_before_the_records_begin_is_imported(account, file_of):
    bought(account, CLOSED + HOUR)

    imported(file_of(line()))

    assert ImportedTrade.objects.count() == 1


def test_trade_closed_since_the_account_is_followed_is_refused(account, file_of):
    Followed.objects.filter(account=account).update(until=CLOSED - HOUR)

    assert "complete from 2025-07-25T00:30:00Z on" in refused(file_of(line()))


def made_hole(account, until: datetime, reason: str) -> None:
    Hole.objects.create(
        account=account, since=None, until=until, opened_until=until, opened_at=until, reason=reason
    )


def test_trade_in_what_could_not_be_read_is_imported(account, file_of):
    bought(account, OPENED - HOUR, "ANOTHER")
    made_hole(account, CLOSED + HOUR, "The exchange lists no older ones.")

    imported(file_of(line()))

    assert ImportedTrade.objects.count() == 1


def test_trade_that_overlaps_records_of_its_market_is_refused(account, file_of):
    bought(account, OPENED - HOUR)
    bought(account, OPENED + HOUR)
    made_hole(account, CLOSED + HOUR, "The exchange lists no older ones.")

    message = refused(file_of(line()))

    assert message.endswith(
        f"overlaps the account's own records of {TICKER} from 2025-07-24T13:15:00.250000Z to "
        "2025-07-24T14:15:00.250000Z"
    )


def test_nothing_is_imported_before_anything_was_read(file_of):
    make_account()

    assert "have not been read from the exchange yet" in refused(file_of(line()))


def test_nothing_is_imported_while_records_are_being_read(account, file_of):
    made_hole(account, CLOSED + HOUR, "")

    assert "from the beginning to 2025-07-25T02:30:00Z are still being read" in refused(
        file_of(line())
    )


def test_account_must_be_said_where_there_are_several(account, file_of):
    other = followed_account()

    message = refused(file_of(line()))
    imported(file_of(line()), "--account", str(other.pk))

    assert f"{account.pk} (demo, demo), {other.pk} (demo, demo)" in message
    assert ImportedTrade.objects.get().account == other


def test_unknown_account_and_unreadable_file_are_told(account, tmp_path):
    assert "no such account" in refused(tmp_path, "--account", "999999999999999999999")
    assert "can't be read" in refused(tmp_path)
    assert "can't be read" in refused(tmp_path / "nothing")


def test_trade_of_another_account_is_no_overlap(account, file_of):
    bought(make_account(), OPENED - HOUR)

    imported(file_of(line()), "--account", str(account.pk))

    assert ImportedTrade.objects.count() == 1


def test_size_of_a_file_takes_no_memory(account, tmp_path):
    path = tmp_path / "statement.csv"
    with path.open("w") as file:
        file.write(f"{HEADER}\n")
        file.writelines(f"{line(market_ticker=f'KX-{number}')}\n" for number in range(5_000))
    tracemalloc.start()

    told = imported(path)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ": 5000 trades imported" in told
    # All of its rows at once would take twice as much.
    assert most < 5 * 2**20
