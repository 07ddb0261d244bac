"""Announcing changes by NOTIFY, and hearing of them by LISTEN."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import psycopg
from django.db import OperationalError
from django.db import connection as django_connection
from psycopg import sql

from postgres.connections import hung_up_after, own_connection
from postgres.errors import DATABASE_TROUBLE

logger = logging.getLogger(__name__)

# A frozen server is not seen by keepalive, which the kernel answers: after so long without any
# notification one is sent to ourselves, and has so long to come back.
IDLE_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 3.0

LONGEST_RECONNECT_DELAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listening:
    """From now on announcements are heard; earlier ones may have been missed, so reload."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What `publish` sent, or a statement by `pg_notify` itself."""

    channel: str
    payload: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The database cannot be reached; nothing is heard until the next `Listening`."""


def publish(channel: str, payload: str) -> None:
    """
    Announce `payload` when the current transaction of Django's default connection commits.

    A rollback announces nothing; equal announcements of one transaction become one.

    Args:
        payload: at most 7999 bytes; a key to rows, not what they hold.
    """
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


async def announcements(
    *channels: str,
) -> AsyncGenerator[Listening | Announcement | Disconnected, None]:
    """
    Hear what is published on `channels`, for ever, over a connection of its own.

    Yields:
        `Listening` after each LISTEN, the first and those after a loss; `Announcement` for each
        notification; `Disconnected` once when the database cannot be reached (any more).
    """
    delays = reconnect_delays()
    is_disconnected = False
    while True:
        try:
            async with (
                own_connection() as connection,
                aclosing(_heard(connection, channels)) as heard,
            ):
                async for event in heard:
                    if isinstance(event, Listening):
                        delays = reconnect_delays()
                        is_disconnected = False
                    yield event
        except DATABASE_TROUBLE as error:
            logger.warning("announcements interrupted", extra={"reason": str(error)})
            if not is_disconnected:
                is_disconnected = True
                yield Disconnected()
        await asyncio.sleep(next(delays) * random.uniform(0.5, 1))  # noqa: S311  # only jitter


def reconnect_delays() -> Iterator[float]:
    """
    The longest waits between attempts to reach the database.

    Yields:
        Seconds: 0.1, doubled each time, up to LONGEST_RECONNECT_DELAY_SECONDS.
    """
    delay = 0.1
    while True:
        yield delay
        delay = min(2 * delay, LONGEST_RECONNECT_DELAY_SECONDS)


async def _heard(
    connection: psycopg.AsyncConnection, channels: tuple[str, ...]
) -> AsyncGenerator[Listening | Announcement, None]:
    """
    What arrives over one connection.

    Raises:
        OperationalError, Django's or psycopg's: it is lost, or the server does not answer.
    """
    # The server's process is the only one with this number, so only we are on this channel.
    echo = f"echo_{connection.info.backend_pid}"
    with hung_up_after(ANSWER_TIMEOUT_SECONDS, connection):
        for channel in (*channels, echo):
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    yield Listening()

    awaits_echo = False
    while True:
        is_silent = True
        timeout = ANSWER_TIMEOUT_SECONDS if awaits_echo else IDLE_SECONDS
        # Never left before its time-out: psycopg would lose the rest of a batch.
        async with aclosing(connection.notifies(timeout=timeout)) as notifications:
            async for notification in notifications:
                is_silent = False
                if notification.channel != echo:
                    yield Announcement(notification.channel, notification.payload)
        if is_silent and awaits_echo:
            raise OperationalError("the server no longer delivers notifications")
        if is_silent:
            with hung_up_after(ANSWER_TIMEOUT_SECONDS, connection):
                await connection.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(echo)))
        awaits_echo = is_silent
