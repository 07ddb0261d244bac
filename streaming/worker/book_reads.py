"""The order books that somebody looks at, read with the key of an account that is followed."""

import asyncio
import logging

from django.db import Error
from django.utils import timezone

from kalshi.errors import KalshiError
from kalshi.rest import Client
from positions import order_books
from positions.order_books import Question, ReadBook
from postgres.threads import DatabaseThreads

logger = logging.getLogger(__name__)

# Whoever asks waits little longer, and then asks the exchange without a key.
READ_SECONDS = 1.5
# At once: what an account may ask of the exchange is for its positions first.
MOST_READS = 2


class BookReads:
    """
    Reads a book for each question, beside all else; nothing rests on it.

    Args:
        threads: what was read is announced by these.
    """

    def __init__(self, rest: Client, threads: DatabaseThreads) -> None:
        self._rest = rest
        self._threads = threads
        self._reading = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: Question) -> None:
        """Have a book read and announced."""
        task = asyncio.create_task(self._answer(question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, question: Question) -> None:
        read = None
        if self._reading < MOST_READS:
            self._reading += 1
            try:
                read = await self._read(question)
            finally:
                self._reading -= 1
        try:
            await self._threads.run(order_books.answer, question, read)
        except Error as error:
            _log_failure(question, error)

    async def _read(self, question: Question) -> ReadBook | None:
        as_of = timezone.now()
        try:
            async with asyncio.timeout(READ_SECONDS):
                return ReadBook(await self._rest.orderbook(question.ticker), as_of)
        except (KalshiError, TimeoutError) as error:
            # Of a key that is dead those reads tell that are needed.
            _log_failure(question, error)
            return None


def _log_failure(question: Question, error: Exception) -> None:
    logger.info(
        "order book not read",
        extra={"account_id": question.account_id, "error": type(error).__name__},
    )
