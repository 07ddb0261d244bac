"""
Claims: which process works for which account.

A claim is an advisory lock of one database session, so that it is free at once when the session's
process dies. A process that is frozen keeps its socket open; the server ends its session when it
has been idle for `IDLE_SESSION_TIMEOUT_SECONDS`, which a living holder prevents by `keep_alive`.
"""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import psycopg

from postgres.connections import CONNECTION_ERRORS, hung_up_after, own_connection

# The first of the lock's two keys, so that these locks meet no others; the second is the account.
CLAIMS_NAMESPACE = 0x4B4C  # "KL"

IDLE_SESSION_TIMEOUT_SECONDS = 3
# Less than the above: who gets no answer must stop before another may start.
ANSWER_TIMEOUT_SECONDS = 2.0


class ClaimsLost(Exception):
    """The session with the database is gone or cannot be had, and every claim with it."""


class Claims:
    """
    The claims of this process, on one connection of their own.

    Leaving the context gives all of them up. Its methods may be called from several tasks.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection | None = None
        self._resources = AsyncExitStack()
        self._held: set[int] = set()
        self._is_loss_untold = False

    @property
    def held(self) -> frozenset[int]:
        """The accounts claimed, as far as known: `keep_alive` finds out."""
        return frozenset(self._held)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        async with self._lock:
            await self._disconnect()
            self._is_loss_untold = False

    async def acquire(self, account_id: int) -> bool:
        """
        Claim an account; false when another process holds it.

        Raises:
            ClaimsLost: no session; the next call tries to have a new one.
        """
        # Shielded, or a cancellation could leave a lock behind that we know nothing of.
        return await asyncio.shield(self._acquire(account_id))

    async def release(self, account_id: int) -> None:
        """
        Give a claim up; nothing happens when it is not held.

        Raises:
            ClaimsLost: the session is gone, and so is this claim.
        """
        await asyncio.shield(self._release(account_id))

    async def keep_alive(self) -> None:
        """
        Show the server that we live; to be called every second.

        Raises:
            ClaimsLost: claims were lost since the last call, whoever noticed; `held` has only
                those acquired again since.
        """
        async with self._lock:
            if self._is_loss_untold:
                self._is_loss_untold = False
                raise ClaimsLost("the session that held the claims has ended")
            if self._connection is not None:
                try:
                    await self._answer(self._connection, "SELECT true")
                except ClaimsLost:
                    self._is_loss_untold = False
                    raise

    async def _acquire(self, account_id: int) -> bool:
        async with self._lock:
            if account_id in self._held:
                return True  # the server would count the same lock twice
            connection = self._connection or await self._connect()
            is_ours = await self._answer(
                connection,
                "SELECT pg_try_advisory_lock(%s::int, %s::int)",
                CLAIMS_NAMESPACE,
                account_id,
            )
            if is_ours:
                self._held.add(account_id)
            return is_ours

    async def _release(self, account_id: int) -> None:
        async with self._lock:
            if account_id in self._held and self._connection is not None:
                await self._answer(
                    self._connection,
                    "SELECT pg_advisory_unlock(%s::int, %s::int)",
                    CLAIMS_NAMESPACE,
                    account_id,
                )
                self._held.discard(account_id)

    async def _connect(self) -> psycopg.AsyncConnection:
        try:
            connection = await self._resources.enter_async_context(own_connection())
        except CONNECTION_ERRORS as error:
            raise ClaimsLost("the database cannot be reached") from error
        await self._answer(
            connection,
            "SELECT set_config('idle_session_timeout', %s, false) IS NOT NULL",
            f"{IDLE_SESSION_TIMEOUT_SECONDS}s",
        )
        self._connection = connection
        return connection

    async def _answer(
        self, connection: psycopg.AsyncConnection, query: str, *parameters: str | int
    ) -> bool:
        try:
            with hung_up_after(ANSWER_TIMEOUT_SECONDS, connection):
                cursor = await connection.execute(query.encode(), parameters)
                row = await cursor.fetchone()
        except CONNECTION_ERRORS as error:
            self._is_loss_untold = bool(self._held)
            await self._disconnect()
            raise ClaimsLost("the session that holds the claims has ended") from error
        return row is not None and bool(row[0])

    async def _disconnect(self) -> None:
        self._held.clear()
        self._connection = None
        await self._resources.aclose()
