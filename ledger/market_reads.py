"""
What the exchange tells anybody of a market, read for people who look at it.

The web process asks itself, without a key: nobody there can open one. An order book it first has
read by the worker of an account that is live: without a key it may be of 15 seconds ago. What was
read is shared by all who ask within two seconds; a market is asked about once at a time, and all
keep to one limit. Whoever asks waits in a thread, so that few may.
"""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from django.db import connection

from accounts.errors import ExchangeUnavailable, NotFound
from accounts.turns import Turns
from kalshi.environments import Environment
from kalshi.errors import (
    ClockSkew,
    DecodeError,
    KalshiError,
    KeyRefused,
    RequestRejected,
    ScopeRefused,
    Unavailable,
)
from kalshi.history import Candle, Minutes
from kalshi.orderbook import OrderBook
from kalshi.public import PublicClient
from kalshi.resources import Event
from kalshi.rows import Rows
from ledger.selling import FeeTerms, fee_terms
from positions import order_books
from positions.models import Market
from positions.order_books import ReadBook

KEPT_SECONDS = 2.0
# Fees hardly ever change.
TERMS_KEPT_SECONDS = 3600.0
ANSWER_SECONDS = 5.0
# Without the fees a book is told too.
TERMS_SECONDS = 2.0
# A worker that reads it answers sooner, also that it can't.
WORKER_SECONDS = 2.0
# So long one that did not is not waited for again.
SILENT_SECONDS = 30.0
# A few beside those of `accounts.sign_in_load`: all together are fewer than the requests that the
# web server works on at once.
TURNS = Turns(at_once=4, waiting=3, wait_seconds=3)

T = TypeVar("T")
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class BookRead:
    """An order book, the instant that it is of, and by what selling into it is charged."""

    book: OrderBook
    as_of: datetime
    terms: FeeTerms


@dataclass(frozen=True, slots=True)
class _Question(Generic[T]):
    """What is asked about a subject, which is asked about once at a time."""

    environment: Environment
    subject: str
    key: Key
    ask: Callable[[PublicClient], Awaitable[T]]
    longest_seconds: float = math.inf
    kept_seconds: float = KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a question, and until when it is the answer to those who ask the same."""

    outcome: object
    until: float


class MarketReads:
    """
    The readings of one process, in a thread with a loop of its own from the first one on.

    Each method may be called from any thread.

    Args:
        clock: in seconds, of what is kept.
        answer_seconds: for one reading with its turn at the limit.
    Raises:
        NotFound: the exchange has no such market, or no longer.
        ExchangeUnavailable: it did not answer in time, or not in a usable way.
        Busy: too many ask at the moment.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[Environment, PublicClient] = {}
        self._asking: dict[Key, asyncio.Task[object]] = {}
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._kept: dict[Key, _Kept] = {}
        # Accounts whose worker did not answer, until when they are not asked again.
        self._silent: dict[int, float] = {}

    def book(self, environment: Environment, market: Market, by: int | None = None) -> BookRead:
        """
        The order book of a market.

        Args:
            by: the account that is live, whose worker can read it; None to ask without a key.
        """
        ticker = market.ticker
        asks_worker = by is not None and self._silent.get(by, self._clock()) <= self._clock()

        async def ask(client: PublicClient) -> ReadBook:
            if by is not None and asks_worker and (read := await self._read_by(by, ticker)):
                return read
            asked_at = datetime.now(UTC)
            book, age = await client.aged_orderbook(ticker)
            return ReadBook(book, asked_at - age)

        of_book = _Question(environment, ticker, ("book", ticker, asks_worker), ask)
        of_terms = _terms_question(environment, market)

        async def both() -> BookRead:
            terms = asyncio.create_task(self._terms(of_terms))
            try:
                read = await self._answer(of_book)
                return BookRead(read.book, read.as_of, await terms)
            finally:
                terms.cancel()

        return self._in_loop(both, [of_book, of_terms])

    async def _read_by(self, account_id: int, ticker: str) -> ReadBook | None:
        question = order_books.Question.new(account_id, ticker)
        try:
            return await order_books.ask(question, WORKER_SECONDS)
        except order_books.Silent:
            now = self._clock()
            self._silent = {each: until for each, until in self._silent.items() if until > now}
            self._silent[account_id] = now + SILENT_SECONDS
            return None

    async def _terms(self, question: "_Question[FeeTerms]") -> FeeTerms:
        """The answer, or unknown terms."""
        try:
            return await self._answer(question)
        except KalshiError:
            return FeeTerms()

    def candles(
        self,
        environment: Environment,
        market: Market,
        *,
        since: datetime,
        until: datetime,
        minutes: Minutes,
    ) -> Rows[Candle]:
        """The candles of a market that end in between."""
        ticker = market.ticker

        async def ask(client: PublicClient) -> Rows[Candle]:
            event = None
            if not market.is_described:
                event = await _if_there(client.event(market.event_ticker))
            return await client.all_candlesticks(
                _series_of(market, event), ticker, since=since, until=until, minutes=minutes
            )

        key = ("candles", ticker, int(since.timestamp()), int(until.timestamp()), minutes)
        question = _Question(environment, ticker, key, ask)
        return self._in_loop(lambda: self._answer(question), [question])

    def close(self) -> None:
        """End what is under way, close the connections and the thread; a later call begins anew."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    # In the threads of those who ask

    def _in_loop(
        self, answer: Callable[[], Awaitable[T]], questions: Sequence[_Question[Any]]
    ) -> T:
        # What is there takes nobody's turn.
        if all(self._is_kept(question) for question in questions):
            return self._wait_for(answer)
        # Readings take longer than requests may hold a connection for.
        if not connection.in_atomic_block:
            connection.close()
        with TURNS.turn():
            return self._wait_for(answer)

    def _wait_for(self, answer: Callable[[], Awaitable[T]]) -> T:
        async def told() -> T:
            return await answer()

        future = asyncio.run_coroutine_threadsafe(told(), self._running_loop())
        try:
            # More than it takes, so that it ends by itself.
            return future.result(3 * self._answer_seconds)
        except RequestRejected as rejected:
            if rejected.status == 404:
                raise NotFound("The exchange has nothing of this market, or no longer.") from None
            raise ExchangeUnavailable(str(rejected)) from None
        except DecodeError:
            raise ExchangeUnavailable("The exchange's answer can't be understood.") from None
        except (KeyRefused, ScopeRefused, ClockSkew):
            raise ExchangeUnavailable("The exchange does not tell this without a key.") from None
        except KalshiError as error:
            raise ExchangeUnavailable(str(error)) from None
        except TimeoutError:
            raise ExchangeUnavailable from None
        finally:
            future.cancel()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run, args=(self._loop,), name="market reads", daemon=True
                ).start()
            return self._loop

    def _is_kept(self, question: _Question[Any]) -> bool:
        kept = self._kept.get((question.environment, *question.key))
        return kept is not None and kept.until > self._clock()

    # In the loop

    async def _answer(self, question: _Question[T]) -> T:
        key = (question.environment, *question.key)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            task = self._asking.get(key)
            if task is None:
                task = self._asking[key] = asyncio.create_task(self._ask(key, question))
                task.add_done_callback(lambda _: self._asking.pop(key, None))
            # Others wait for it too.
            outcome = await asyncio.shield(task)
        else:
            outcome = kept.outcome
        if isinstance(outcome, KalshiError):
            raise outcome
        return outcome  # type: ignore[return-value]  # what `ask` of the same key returned

    async def _ask(self, key: Key, question: _Question[T]) -> object:
        about = (question.environment, question.subject)
        lock = self._locks.setdefault(about, asyncio.Lock())
        outcome: object
        async with lock:
            began = self._clock()
            try:
                async with asyncio.timeout(min(question.longest_seconds, self._answer_seconds)):
                    outcome = await question.ask(self._client(question.environment))
            except TimeoutError:
                outcome = Unavailable("The exchange took too long to answer.")
            except KalshiError as error:
                # Kept too: a market that fails is not asked about again by each who waits.
                outcome = error
        seconds = KEPT_SECONDS if isinstance(outcome, KalshiError) else question.kept_seconds
        kept = self._kept[key] = _Kept(outcome, began + seconds)
        asyncio.get_running_loop().call_later(seconds, self._forget, key, kept)
        return outcome

    def _forget(self, key: Key, kept: _Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]

    def _client(self, environment: Environment) -> PublicClient:
        client = self._clients.get(environment)
        if client is None:
            client = PublicClient(environment, timeout_seconds=ANSWER_SECONDS)
            self._clients[environment] = client
        return client

    async def _end(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
        self._kept.clear()


READS = MarketReads()


def _terms_question(environment: Environment, market: Market) -> _Question[FeeTerms]:
    event_ticker = market.event_ticker

    async def ask(client: PublicClient) -> FeeTerms:
        event = await _if_there(client.event(event_ticker))
        return fee_terms(await _if_there(client.series(_series_of(market, event))), event)

    return _Question(
        environment,
        subject=event_ticker,
        key=("terms", market.series_ticker, event_ticker),
        ask=ask,
        longest_seconds=TERMS_SECONDS,
        kept_seconds=TERMS_KEPT_SECONDS,
    )


def _series_of(market: Market, event: Event | None) -> str:
    # Until a market is described its row has a guess, made of the market's name.
    told = event.series_ticker if event and not market.is_described else None
    return told or market.series_ticker


async def _if_there(asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except RequestRejected:
        # A combo's event has no page of its own.
        return None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
