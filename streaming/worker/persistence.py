"""Work of the background that is tried again until it is done, whatever goes wrong with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from accounts.models import Account
from kalshi.errors import KalshiError
from positions.fencing import TakenOver
from postgres.errors import DATABASE_TROUBLE

logger = logging.getLogger(__name__)

Done = TypeVar("Done")

# The account is forgotten, or another worker's: nothing more is to be done.
LOST = (Account.DoesNotExist, TakenOver)

RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0
# Between tries, however often somebody asks.
SOONEST_RETRY_SECONDS = 1.0


def retry_delays() -> Iterator[float]:
    """Seconds between tries, ever more."""
    delay = RETRY_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, LONGEST_RETRY_SECONDS)


async def until_done(
    work: Callable[[], Awaitable[Done]],
    trouble: str,
    account_id: int,
    *,
    sooner: asyncio.Event | None = None,
) -> Done:
    """
    Do it, and again after each failure; what it returns. A bug is told with its traceback.

    Args:
        sooner: ends a wait, and is cleared by it; what is set before a wait counts as well.
    Raises:
        Account.DoesNotExist: it was forgotten.
        TakenOver: another worker writes it now.
    """
    delays = retry_delays()
    while True:
        try:
            return await work()
        except LOST:
            raise
        except Exception as error:
            log_trouble(trouble, error, account_id)
            await _wait(next(delays), sooner)


async def each_of(account_id: int, *works: Callable[[], Awaitable[None]]) -> None:
    """
    Do these in turn, and none is kept from it by the failure of one before.

    The first failure is raised, further ones are in the log.

    Raises:
        one of LOST: at once.
    """
    first: Exception | None = None
    for work in works:
        try:
            await work()
        except LOST:
            raise
        except Exception as error:
            if first is None:
                first = error
            else:
                log_trouble("not done either", error, account_id)
    if first:
        raise first


async def _wait(seconds: float, sooner: asyncio.Event | None) -> None:
    if sooner is None:
        await asyncio.sleep(seconds)
        return
    soonest = min(seconds, SOONEST_RETRY_SECONDS)
    await asyncio.sleep(soonest)
    try:
        async with asyncio.timeout(seconds - soonest):
            await sooner.wait()
    except TimeoutError:
        pass
    sooner.clear()


def log_trouble(trouble: str, error: Exception, account_id: int) -> None:
    """Say what failed: of what is ours to mend all of it, else what the other side said."""
    is_ours = not isinstance(error, (KalshiError, *DATABASE_TROUBLE))
    told = type(error).__name__ if is_ours else str(error)
    fields = {"account_id": account_id, "error": told}
    logger.warning(trouble, extra=fields, exc_info=error if is_ours else None)
