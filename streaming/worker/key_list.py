"""
The keys that an account has at the exchange, kept up to date while it is followed.

An account is known by them. Whoever makes a new key and deletes the old one shows a key that lists
no other any more: that it opens the same account is known only if it was listed before.
"""

import asyncio
import logging
from typing import Never

from django.db import Error

from accounts import credentials
from kalshi.errors import KalshiError, ScopeRefused
from kalshi.rest import Client
from postgres.threads import DatabaseThreads

logger = logging.getLogger(__name__)

# First after so long, as a sign-in lists them too; and between making a key and deleting the one
# before pass some minutes.
LIST_SECONDS = 60.0
# A key that may not list keys may do so later.
REFUSED_SECONDS = 3600.0


async def keep_keys_known(account_id: int, rest: Client, threads: DatabaseThreads) -> Never:
    """List the keys now and then until cancelled, and store those that are new."""
    known: frozenset[str] = frozenset()
    seconds = LIST_SECONDS
    while True:
        await asyncio.sleep(seconds)
        seconds = LIST_SECONDS
        try:
            listed = frozenset(each.api_key_id for each in await rest.api_keys())
            if listed - known:
                await threads.run(credentials.keep_listed, account_id, listed)
                known |= listed
        except ScopeRefused:
            seconds = REFUSED_SECONDS
        except (KalshiError, Error) as error:
            # Nothing rests on it. A key that is dead the reads that are needed find dead as well.
            logger.info(
                "keys not listed",
                extra={"account_id": account_id, "error": type(error).__name__},
            )
