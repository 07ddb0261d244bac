"""
A million fills in one account: what reading and writing its ledger costs, before and after.

    python -m benchmarks.ledger [FILLS]

Half as many trades, in a thousand markets, and a year of equity points; a tenth of all that in an
account beside it. Prints for each call how long it took, with a thousand fills and with all, and
what each of its queries read; ends with 1 if one read a table of the ledger from end to end, but
for the sums over all trades.
Nothing but the embedded server; ends after some three minutes.
"""

import asyncio
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.product import environment_of, prepare, set_up_django
from sandbox.server import running_exchange

if TYPE_CHECKING:
    from django.test import Client

FILLS = 1_000_000
FEW = 1_000
ROUNDS = 5
MARKETS = 1_000
CALLS = (
    "fills",
    "fills?ticker=KXBENCH-7-M7",
    "trades",
    "trades?ticker=KXBENCH-7-M7",
    "trades?from=2026-03-01&to=2026-04-01",
    "statistics",
    "statistics?by=event",
    "statistics?by=day",
    "statistics?from=2026-10-20",
    "equity",
)
# All trades of an account that has nearly all there are: the quickest way is through the table.
WHOLE = ("GET statistics", "GET statistics?by=event", "GET statistics?by=day")

_MARKETS = """
    INSERT INTO positions_market (
        environment, ticker, event_ticker, series_ticker, title, yes_outcome, no_outcome,
        is_described
    )
    SELECT 'sandbox', 'KXBENCH-' || n || '-M' || n, 'KXBENCH-' || n, 'KXBENCH', '', '', '', true
    FROM generate_series(0, %(markets)s - 1) AS n ON CONFLICT DO NOTHING
"""
# Bought at odd numbers, and sold at the even ones that follow.
_FILLS = """
    INSERT INTO ledger_fill (
        account_id, market_id, trade_id, order_id, at, side, count, price, fee, is_taker,
        recorded_at, closed_count, cash_flow, realized_pnl, quantity_after, exposure_after,
        realized_after, fees_after
    )
    SELECT %(account)s, market.id, 't' || n, 'o' || n,
        timestamptz '2025-11-20' + (n::numeric / %(all)s) * interval '365 days',
        CASE WHEN n %% 2 = 1 THEN 'yes' ELSE 'no' END, 10, 0.40 + (n / 2) %% 30 * 0.01, 0.17, true,
        now(), 0, -4.17, 0, n %% 2 * 10, 4, 0, 0.17
    FROM generate_series(%(first)s, %(last)s) AS n
    JOIN positions_market AS market
        ON market.ticker = 'KXBENCH-' || (n - 1) / 2 %% %(markets)s
            || '-M' || (n - 1) / 2 %% %(markets)s
"""
_TRADES = """
    INSERT INTO ledger_trade (
        account_id, market_id, number, side, opened_at, closed_at, count, closed_count, entry_cost,
        exit_value, exposure, fees_paid, net_pnl, average_entry_price, contract_seconds, result,
        is_line_asked
    )
    SELECT %(account)s, market.id, n / %(markets)s + %(first)s, 'yes',
        timestamptz '2025-11-20' + ((2 * n + 1)::numeric / %(all)s) * interval '365 days',
        timestamptz '2025-11-20' + ((2 * n + 2)::numeric / %(all)s) * interval '365 days',
        10, 10, 4, 10 * (0.30 + n %% 30 * 0.01), 0, 0.34, 10 * (n %% 30 * 0.01) - 1.34, 0.4, 315,
        CASE WHEN n %% 3 = 0 THEN 'yes' WHEN n %% 3 = 1 THEN 'no' END, true
    FROM generate_series(%(first)s / 2, %(last)s / 2 - 1) AS n
    JOIN positions_market AS market
        ON market.ticker = 'KXBENCH-' || n %% %(markets)s || '-M' || n %% %(markets)s
"""
_IMPORTED = """
    INSERT INTO ledger_importedtrade (
        account_id, ticker, side, opened_at, closed_at, count, average_entry_price,
        average_exit_price, fees_paid, net_pnl, result, fingerprint
    )
    SELECT %(account)s, 'KXOLD-' || n, 'no', timestamptz '2024-01-01' + n * interval '1 hour',
        timestamptz '2024-01-02' + n * interval '1 hour', 10, 0.4, 0.5, 0.3, 0.7, NULL, n::text
    FROM generate_series(1, 5000) AS n ON CONFLICT DO NOTHING
"""
# Else there would be nothing to say yet.
_FOLLOWED = """
    INSERT INTO ledger_followed (account_id, until)
    VALUES (%(account)s, timestamptz '2026-11-20') ON CONFLICT DO NOTHING
"""
_TRANSFERS = """
    INSERT INTO ledger_transfer (
        account_id, transfer_id, kind, at, method, amount, fee, status, cash_flow, recorded_at
    )
    SELECT %(account)s, n::text, 'deposit', timestamptz '2024-01-02' + n * interval '12 hours', '',
        1, 0, 'applied', 1, now()
    FROM generate_series(1, 2000) AS n ON CONFLICT DO NOTHING
"""
# A year, as it is when the older ones are thinned: a point a minute for a month, else a quarter.
_POINTS = """
    INSERT INTO ledger_equitypoint (
        account_id, at, total_value, entered, cash, positions_value, is_baseline,
        is_after_thinned, unpriced_count
    )
    SELECT %(account)s, at, 1000 + extract(doy FROM at), 0, 1000, extract(doy FROM at), false,
        false, 0
    FROM (
        SELECT generate_series(
            timestamptz '2025-11-20', timestamptz '2026-10-20', interval '15 minutes'
        ) AS at
        UNION
        SELECT generate_series(
            timestamptz '2026-10-20', timestamptz '2026-11-20', interval '1 minute'
        )
    ) AS points
    ON CONFLICT DO NOTHING
"""


def fill_up(account_id: int, first: int, last: int, *, all: int) -> None:
    """The fills with these numbers, and the trades and points that go with them."""
    from django.db import connection

    parameters = {
        "account": account_id,
        "first": first,
        "last": last,
        "all": all,
        "markets": MARKETS,
    }
    with connection.cursor() as cursor:
        for statement in (_MARKETS, _FILLS, _TRADES, _IMPORTED, _FOLLOWED, _TRANSFERS, _POINTS):
            cursor.execute(statement, parameters)
        cursor.execute("ANALYZE")


def is_read_of_ledger(sql: str) -> bool:
    """Whether a statement reads the ledger; one that begins with its parts does too."""
    return sql.lstrip().startswith(("SELECT", "WITH")) and "ledger_" in sql


def reads_of(call: Callable[[], object]) -> list[str]:
    """What each query of a call reads of the ledger, by the database's plan."""
    from django.db import connection

    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # Django's own
        if is_read_of_ledger(sql):
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    found: list[str] = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(f"EXPLAIN {sql}", params)
            for (line,) in cursor.fetchall():
                if "Scan" in line and "positions_" not in line:
                    found.append(line.split("(cost")[0].strip(" ->"))
    return sorted(set(found))


def duration(call: Callable[[], object]) -> float:
    """Milliseconds, the middle of some rounds."""
    durations = []
    for _ in range(ROUNDS):
        started = perf_counter()
        call()
        durations.append((perf_counter() - started) * 1000)
    return median(durations)


def asking(client: "Client", path: str) -> Callable[[], None]:
    """
    Ask for it.

    The call raises LookupError where there is no such path, and RuntimeError for any other answer
    that is not a good one: how long a refusal takes is not what is measured.
    """

    def ask() -> None:
        answer = client.get(f"/api/v1/account/{path}", SERVER_NAME="127.0.0.1")
        if answer.status_code == 404:
            raise LookupError(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")

    return ask


def recording(account_id: int) -> Callable[[], None]:
    """Record a fill that is newer than all others, with all that follows from it."""
    from datetime import timedelta
    from decimal import Decimal

    from django.utils import timezone

    from ledger import recording as rows
    from ledger.records import Fill

    told = iter(range(10**6))
    # Of this round alone.
    begin = timezone.now()

    def record() -> None:
        number = next(told)
        at = begin + timedelta(milliseconds=number)
        fill = Fill(
            trade_id=f"new {begin} {number}",
            order_id="o",
            ticker="KXBENCH-7-M7",
            at=at.replace(microsecond=0) + timedelta(seconds=number),
            side="yes" if number % 2 else "no",
            count=Decimal(15),
            price=Decimal("0.4"),
            fee=Decimal("0.17"),
        )
        rows.record(account_id, [fill], at)

    return record


def measure(client: "Client", account_id: int) -> dict[str, float | None]:
    """How long each call takes; None for one that is not there."""
    found: dict[str, float | None] = {}
    for path in CALLS:
        call = asking(client, path)
        try:
            call()
        except LookupError:
            found[f"GET {path}"] = None
        else:
            found[f"GET {path}"] = duration(call)
    found["record a fill"] = duration(recording(account_id))
    return found


def is_long(read: str) -> bool:
    """Whether a read goes through a table that grows; what tells how far it reaches is one page."""
    is_of_a_page = "ledger_hole" in read or "ledger_followed" in read
    return "Seq Scan on ledger_" in read and not is_of_a_page


def run(fills: int) -> int:
    """Measure with few and with many; 1 if a table was read from end to end."""
    from django.test import Client

    from accounts import sessions
    from accounts.devices import Device
    from accounts.models import Account
    from benchmarks.members import new_account

    account_id, beside = new_account(), new_account()
    _, token = sessions.show_key(Account.objects.get(pk=account_id), device=Device())
    client = Client()
    client.cookies[sessions.COOKIE] = token

    fill_up(account_id, 1, FEW, all=fills)
    few = measure(client, account_id)
    started = perf_counter()
    fill_up(account_id, FEW + 1, fills, all=fills)
    fill_up(beside, 1, fills // 10, all=fills)
    print(f"{fills:,} fills made in {perf_counter() - started:.0f} s\n")
    many = measure(client, account_id)
    print(f"| call | {FEW:,} fills | {fills:,} fills | read |")
    print("|---|---|---|---|")
    is_bad = False
    for name, milliseconds in many.items():
        before = few[name]
        if milliseconds is None or before is None:
            print(f"| {name} | not there | | |")
            continue
        reads = reads_of(asking(client, name[4:])) if name.startswith("GET ") else []
        print(f"| `{name}` | {before:.1f} ms | {milliseconds:.1f} ms | {', '.join(reads)} |")
        is_bad |= any(map(is_long, reads)) and name not in WHOLE
    return int(is_bad)


async def main() -> int:
    """Make the database, and measure."""
    fills = int(sys.argv[1]) if len(sys.argv) > 1 else FILLS
    async with running_exchange(positions=1, updates_per_minute=0) as sandbox:
        environment = environment_of(sandbox)
        await prepare(environment)
    set_up_django(environment)
    return await asyncio.to_thread(run, fills)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
