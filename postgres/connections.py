"""psycopg's connections, but none of them waits for ever for a server that is silent."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Any

import psycopg
from django.db import connection as django_connection
from psycopg import pq, waiting
from psycopg.abc import RV, PQGen, PQGenConn
from psycopg.errors import _WaitTimeout

from postgres import embedded
from postgres.addresses import addresses_of, is_one_name
from postgres.direct import direct_parameters
from postgres.errors import note_lack_of_connections
from postgres.patience import LISTEN, LISTEN_CONNECT_SECONDS

DEFAULT_PORT = "5432"
# For an answer that came in time, and could not be taken.
ONCE_MORE_SECONDS = 0.1
NOT_ACCEPTED = "the server did not accept the connection in time"


# When a connection last waited in vain, by the monotonic clock.
_silent_at = float("-inf")


def has_been_silent(since: float) -> bool:
    """Whether a server has left a connection of this process without an answer since then."""
    return _silent_at >= since


def _note_silence() -> None:
    global _silent_at  # of the process, as is what it is asked for
    _silent_at = monotonic()


class _Connecting(threading.local):
    deadline: float | None = None


_connecting = _Connecting()


class PatientConnection(psycopg.Connection):
    """
    A connection that hangs up when the server has not answered in time.

    A server that is frozen keeps none of its own time limits, and its kernel goes on to answer
    keepalive; so the client has to keep the time. What was hung up on is closed: whatever is asked
    of it next, a rollback included, fails at once.
    """

    answer_seconds: float | None = None
    may_prepare = False

    @classmethod
    def opened(
        cls,
        conninfo: str = "",
        *,
        answer_seconds: float | None = None,
        deadline: float | None = None,
        may_prepare: bool = False,
        **parameters: Any,  # psycopg's own
    ) -> "PatientConnection":
        """
        As psycopg's `connect`, with two limits.

        Args:
            answer_seconds: how long the answer to one statement may take; None: any time.
            deadline: by the monotonic clock; connecting to all of a name's addresses ends by then.
            may_prepare: whether the session is one's own, and keeps what was prepared in it.
        """
        _connecting.deadline = deadline
        if deadline is not None:
            parameters |= _addressed(parameters, deadline)
        connection = cls.connect(conninfo, **parameters)
        connection.answer_seconds = answer_seconds
        connection.may_prepare = may_prepare
        return connection

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["PatientConnection"]:
        # libpq's connect_timeout begins anew with each address, and `localhost` has two.
        deadline = _connecting.deadline
        attempt = super()._connect_gen(conninfo)
        waits_for = next(attempt)
        while True:
            # psycopg wakes us every tenth of a second.
            ready = yield waits_for
            if deadline is not None and monotonic() >= deadline:
                _note_silence()
                raise psycopg.OperationalError(NOT_ACCEPTED)
            try:
                waits_for = attempt.send(ready)
            except StopIteration as made:
                connection: PatientConnection = made.value
                return connection

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, within `answer_seconds` where the caller has no time limit of its own."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout:
            _note_silence()
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the server did not answer within {self.answer_seconds} seconds"
            ) from None


# Any: psycopg's own.
def _addressed(parameters: dict[str, Any], deadline: float) -> dict[str, str]:
    """The same server by its addresses: psycopg looks a name up for as long as that takes."""
    host, port = parameters.get("host") or "", str(parameters.get("port") or DEFAULT_PORT)
    if any(map(parameters.get, ("hostaddr", "service"))) or "PGHOSTADDR" in os.environ:
        # Told elsewhere.
        return {}
    if not is_one_name(host):
        return {}
    try:
        addresses = addresses_of(host, port, deadline)
    except TimeoutError:
        _note_silence()
        raise psycopg.OperationalError(NOT_ACCEPTED) from None
    except (OSError, UnicodeError) as error:
        raise psycopg.OperationalError(f"the name {host!r} is not known: {error}") from error
    # As many of each; the name stays what a certificate is checked by.
    return {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}


class _OwnConnection(psycopg.AsyncConnection):
    """
    A connection that hangs up when who waits for an answer is cancelled.

    psycopg would ask the server to cancel the statement, and wait ten seconds more for one that is
    frozen.
    """

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  # psycopg's
    ) -> RV:
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval, timeout)
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


@asynccontextmanager
async def own_connection() -> AsyncIterator[psycopg.AsyncConnection]:
    """
    An autocommit connection to Django's default database, closed at the end.

    For what the ORM's connections cannot do: wait, and keep what is a session's own. So it goes
    past a pooler. psycopg's errors leave the context as Django's,
    so that a lost connection is told as the ORM tells it.

    Raises:
        one of DATABASE_TROUBLE: the database cannot be reached, or the connection was lost.
    """
    deadline = monotonic() + LISTEN_CONNECT_SECONDS
    directory = django_connection.settings_dict.get("EMBEDDED_DIRECTORY")
    if directory is not None:
        await asyncio.to_thread(embedded.ensure_running, directory, deadline)
    parameters = direct_parameters(django_connection)
    del parameters["cursor_factory"]  # Django's is for synchronous connections
    parameters["options"] = LISTEN.options(parameters.get("options"))
    with django_connection.wrap_database_errors:
        connection = await _connected(parameters, deadline - monotonic())
        try:
            yield connection
        finally:
            await connection.close()


async def _connected(parameters: dict[str, Any], seconds: float) -> psycopg.AsyncConnection:
    try:
        # libpq's connect_timeout begins anew with each address, and `localhost` has two.
        async with asyncio.timeout(seconds):
            with note_lack_of_connections():
                return await _OwnConnection.connect(**parameters, autocommit=True)
    except TimeoutError:
        raise psycopg.OperationalError(NOT_ACCEPTED) from None


@contextmanager
def hung_up_after(seconds: float, connection: psycopg.AsyncConnection) -> Iterator[None]:
    """
    Hang up if the server has not answered in time; who waits for it gets an OperationalError.

    Not `asyncio.timeout`, whose TimeoutError would be no trouble with the database to our callers.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def look_once_more() -> None:
        nonlocal timer
        timer = loop.call_later(ONCE_MORE_SECONDS, _hang_up, connection)

    # It may be this process that stood still: then the answer is here, and who waits for it is to
    # have it first.
    timer = loop.call_later(seconds, look_once_more)
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: psycopg.AsyncConnection) -> None:
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as same_socket:
            same_socket.shutdown(socket.SHUT_RDWR)
