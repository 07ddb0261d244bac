"""What stands in the rows of many accounts, beside what the exchange holds."""

from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg

from benchmarks.quotes import CENT, Quotes
from sandbox.server import Sandbox

if TYPE_CHECKING:
    from benchmarks.members import Member


def wrong(
    database: psycopg.Connection, sandbox: Sandbox, quotes: Quotes, members: "list[Member]"
) -> list[str]:
    """What differs between the rows of these and the exchange, to the digit."""
    rows = database.execute(
        "SELECT account_id, ticker, quantity, exposure, realized_pnl, fees_paid, yes_bid, yes_ask,"
        " market_value, unrealized_pnl FROM positions_position AS position"
        " JOIN positions_market AS market ON market.id = market_id WHERE quantity <> 0"
    ).fetchall()
    told = {(row[0], row[1]): row[2:] for row in rows}
    values: dict[int, Decimal] = {}
    for row in rows:
        values[row[0]] = values.get(row[0], Decimal(0)) + (row[8] or 0)
    streams: dict[int, Decimal | None] = dict(
        database.execute("SELECT account_id, positions_value FROM positions_accountstream")
    )
    found = []
    for member in members:
        for ticker in member.tickers:
            held = member.account.portfolios[0].positions[ticker]
            bid = quotes.current[ticker]
            # A NO is sold at what is left of YES's ask.
            mark = bid if held.quantity > 0 else 1 - (bid + CENT)
            value = abs(held.quantity) * mark
            expected = (
                *(held.quantity, held.exposure, held.realized_pnl, held.fees_paid),
                *(bid, bid + CENT, value, value - held.exposure),
            )
            if told.get((member.account_id, ticker)) != expected:
                found.append(f"{member.account_id} {ticker}")
        if streams[member.account_id] != values.get(member.account_id):
            found.append(f"{member.account_id}: sum")
    return found


def live_count(database: psycopg.Connection, members: "list[Member]") -> int:
    """How many of these are live, as written."""
    found = database.execute(
        "SELECT count(*) FROM positions_accountstream"
        " WHERE status = 'live' AND account_id = ANY(%s)",
        [[member.account_id for member in members]],
    ).fetchone()
    return int(found[0]) if found else 0


def print_state_of(database: psycopg.Connection, what: str, member: "Member") -> None:
    """What is said of a broken account."""
    status, reason, left_out, silent = database.execute(
        "SELECT status, reason, left_out, worker.silent ->> account_id::text"
        " FROM positions_accountstream LEFT JOIN positions_worker AS worker"
        " ON worker.id = worker_id WHERE account_id = %s",
        [member.account_id],
    ).fetchone() or (None, None, None, None)
    print(f"  {what}: {status}, {reason}, left out {left_out}, silent for {silent} s")
