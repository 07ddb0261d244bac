"""
Claims: which process works for which account.

A claim is an advisory lock of one database session, so that it is free at once when the session's
process dies. A process that is frozen keeps its socket open; the server ends its session when it
has been idle for `IDLE_SESSION_TIMEOUT_SECONDS`, which a living holder prevents by `keep_alive`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from postgres.connections import hung_up_after, own_connection

# The first of the lock's two keys, so that these locks meet no others; the second is the account.
CLAIMS_NAMESPACE = 0x4B4C  # "KL"

IDLE_SESSION_TIMEOUT_SECONDS = 3
# Less than the above: who gets no answer must stop before another may start.
ANSWER_TIMEOUT_SECONDS = 2.0


class Claims:
    """
    The claims of this process, all held by one session of their own.

    Its methods may be called from several tasks. Once one has failed every claim is lost and all
    fail; after a cancelled `acquire` nobody knows whether the account is claimed. Either way the
    context is to be left.
    """

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        # Time runs for one question: not for those that wait until it is answered.
        self._turn = asyncio.Lock()

    async def acquire(self, account_id: int) -> bool:
        """Claim an account that is not ours yet; false when another process holds it."""
        return await self._answer(
            "SELECT pg_try_advisory_lock(%s::int, %s::int)", CLAIMS_NAMESPACE, account_id
        )

    async def release(self, account_id: int) -> None:
        """Give a claim up."""
        await self._answer(
            "SELECT pg_advisory_unlock(%s::int, %s::int)", CLAIMS_NAMESPACE, account_id
        )

    async def keep_alive(self) -> None:
        """Show the server that we live; to be called every second."""
        await self._answer("SELECT true")

    async def _answer(self, query: str, *parameters: str | int) -> bool:
        async with self._turn:
            with hung_up_after(ANSWER_TIMEOUT_SECONDS, self._connection):
                cursor = await self._connection.execute(query.encode(), parameters)
                row = await cursor.fetchone()
        return row is not None and bool(row[0])


@asynccontextmanager
async def open_claims() -> AsyncIterator[Claims]:
    """
    No claims yet; leaving the context gives up those that were acquired.

    Raises:
        one of DATABASE_TROUBLE: the session cannot be had, or is lost.
    """
    async with own_connection() as connection:
        with hung_up_after(ANSWER_TIMEOUT_SECONDS, connection):
            await connection.execute(
                "SELECT set_config('idle_session_timeout', %s, false)",
                [f"{IDLE_SESSION_TIMEOUT_SECONDS}s"],
            )
        yield Claims(connection)
