"""
A market's order book as the exchange tells it to those who show a key, for those who have none.

What anybody may ask comes from a cache before the exchange, and is up to 15 seconds old. A web
process opens no key, so it asks the worker of an account by NOTIFY, and is told by NOTIFY.
"""

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from psycopg import sql

from kalshi.orderbook import Level, OrderBook
from positions.decimal_text import plain
from positions.doorbell import LONGEST_BYTES
from postgres.channels import BOOK_ASKED, BOOK_READ
from postgres.connections import own_connection
from postgres.errors import DATABASE_TROUBLE
from postgres.notifications import publish


@dataclass(frozen=True, slots=True)
class Question:
    """
    The order book of a market, to be read with an account's key.

    Attributes:
        id: of this question alone, so that its answer is no other's.
    """

    account_id: int
    ticker: str
    id: str

    @classmethod
    def new(cls, account_id: int, ticker: str) -> "Question":
        return cls(account_id, ticker, secrets.token_hex(8))

    @property
    def payload(self) -> str:
        """What asks."""
        return f"{self.account_id}:{self.id}:{self.ticker}"


@dataclass(frozen=True, slots=True)
class ReadBook:
    """An order book, and the instant that it is of at the earliest."""

    book: OrderBook
    as_of: datetime


class Silent(Exception):
    """The account's worker did not answer in time."""


def asked(payload: str) -> Question:
    """
    The question of an announcement of `BOOK_ASKED`.

    Raises:
        ValueError: it is none.
    """
    account_id, question_id, ticker = payload.split(":", 2)
    return Question(int(account_id), ticker, question_id)


async def ask(question: Question, seconds: float) -> ReadBook | None:
    """
    Ask the account's worker; None if it can't read the book.

    Over a connection of its own, so for few at once.

    Raises:
        Silent: nobody answered.
    """
    try:
        async with asyncio.timeout(seconds), own_connection() as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(BOOK_READ)))
            await connection.execute("SELECT pg_notify(%s, %s)", [BOOK_ASKED, question.payload])
            async with aclosing(connection.notifies()) as heard:
                async for notification in heard:
                    question_id, _, told = notification.payload.partition(":")
                    if question_id == question.id:
                        return _decoded(told)
    except (TimeoutError, *DATABASE_TROUBLE) as error:
        raise Silent from error
    raise AssertionError("notifications ended")


def answer(question: Question, read: ReadBook | None) -> None:
    """Announce what was read; None, or a book that is too long to be announced: nothing was."""
    payload = f"{question.id}:{_encoded(read) if read else ''}"
    if len(payload) > LONGEST_BYTES:
        payload = f"{question.id}:"
    publish(BOOK_READ, payload)


def _encoded(read: ReadBook) -> str:
    return "|".join(
        [read.as_of.isoformat(), _ladder(read.book.yes_bids), _ladder(read.book.no_bids)]
    )


def _ladder(levels: Iterable[Level]) -> str:
    return ",".join(f"{plain(level.price)} {plain(level.count)}" for level in levels)


def _decoded(told: str) -> ReadBook | None:
    try:
        as_of, yes, no = told.split("|")
        return ReadBook(OrderBook(_levels(yes), _levels(no)), datetime.fromisoformat(as_of))
    except (ValueError, InvalidOperation):
        # Nothing; or of a worker of another release.
        return None


def _levels(ladder: str) -> tuple[Level, ...]:
    pairs = (level.split(" ") for level in ladder.split(",") if level)
    return tuple(Level(Decimal(price), Decimal(count)) for price, count in pairs)
