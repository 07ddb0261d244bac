"""
Accounts that are one at the exchange, though no key could tell.

A key that may not list its account's keys has an account of its own here. A second one of the same
account then shows the same positions again, and sums would count them twice.
"""

from django.db import connection, transaction

from accounts.models import Account, AccountKey
from positions.models import AccountStream, Position
from postgres.channels import SIGHT_CHANGED
from postgres.notifications import publish

_ACCOUNTS, _KEYS = Account._meta.db_table, AccountKey._meta.db_table
_POSITIONS, _STREAMS = Position._meta.db_table, AccountStream._meta.db_table

# What two open rows have in common that are one row of the exchange. Its time is that of the change
# where REST told it, and that of the frame where the stream did, a moment later.
_IS_SAME_ROW = """
    its.market_id = theirs.market_id
    AND its.quantity = theirs.quantity
    AND its.exposure = theirs.exposure
    AND its.fees_paid = theirs.fees_paid
    AND its.realized_pnl IS NOT DISTINCT FROM theirs.realized_pnl
    AND (
        its.held_at IS NOT DISTINCT FROM theirs.held_at
        OR its.held_at - theirs.held_at BETWEEN
            INTERVAL '-999999 microseconds' AND INTERVAL '999999 microseconds'
    )
"""


def _only_in(one: str, other: str) -> str:
    return f"""
        SELECT FROM {_POSITIONS} AS its
        WHERE its.account_id = {one}.id AND its.quantity <> 0 AND NOT EXISTS (
            SELECT FROM {_POSITIONS} AS theirs
            WHERE theirs.account_id = {other}.id AND theirs.quantity <> 0 AND {_IS_SAME_ROW}
        )
    """  # noqa: S608  # names of tables, from our own models


# One of them lists the other's key; or all that they hold is the same, each row as of the same
# second, and so is the cash. Where both list their keys they are known to differ.
# Of several that are one, each is the first: PostgreSQL alone would take any before it.
_NOTE = f"""
    WITH found AS (
    SELECT later.id, min(earlier.id) AS first_id
    FROM {_ACCOUNTS} AS later, {_ACCOUNTS} AS earlier
    WHERE later.same_as_id IS NULL AND earlier.same_as_id IS NULL
        AND earlier.id < later.id
        AND earlier.owner_id = later.owner_id
        AND earlier.environment = later.environment
        AND earlier.subaccount = later.subaccount
        AND (earlier.sole_key_id <> '' OR later.sole_key_id <> '')
        AND (
            EXISTS (
                SELECT FROM {_KEYS} AS listed
                WHERE (listed.account_id = earlier.id AND listed.api_key_id = later.sole_key_id)
                    OR (listed.account_id = later.id AND listed.api_key_id = earlier.sole_key_id)
            )
            OR (
                EXISTS (
                    SELECT FROM {_STREAMS} AS one JOIN {_STREAMS} AS other USING (cash)
                    WHERE one.account_id = earlier.id AND other.account_id = later.id
                        AND one.position_count > 0
                )
                AND NOT EXISTS ({_only_in("earlier", "later")})
                AND NOT EXISTS ({_only_in("later", "earlier")})
            )
        )
    GROUP BY later.id
    )
    UPDATE {_ACCOUNTS} AS account SET same_as_id = found.first_id
    FROM found
    WHERE account.id = found.id
    RETURNING account.owner_id
"""  # noqa: S608  # names of tables, from our own models


@transaction.atomic
def note() -> int:
    """Note which accounts have turned out to be another one of their owner; how many did."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE)
        owners = [owner_id for (owner_id,) in cursor.fetchall()]
    for owner_id in set(owners):
        publish(SIGHT_CHANGED, str(owner_id))
    return len(owners)
