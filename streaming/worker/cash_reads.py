"""
The account's cash, read as often as the exchange allows.

It has a limit of its own, which other programs of the owner may have spent: then an answer takes
half a minute, and nothing else waits for it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic

from django.utils import timezone

from kalshi.errors import (
    ClockSkew,
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    Unavailable,
)
from kalshi.rest import Client
from positions.cash import Balance, CashBook
from positions.decimal_text import to_six_decimals
from streaming.together import Errand
from streaming.worker.agenda import Agenda
from streaming.worker.reads import HELP_SECONDS, read_age

logger = logging.getLogger(__name__)

# Of our clock against the exchange's, where it does not say itself how old its answer is.
CLOCK_ERROR = timedelta(seconds=1)


class CashReads:
    """
    Asks for the balance, and hands it to the cash book.

    Args:
        on_balance: called with each balance, and what of it nothing explains so far.
        on_change: called when there may be something to write.
        on_late: called with a balance that came late, if it came at all.
    """

    def __init__(
        self,
        rest: Client,
        book: CashBook,
        agenda: Agenda,
        *,
        subaccount: int,
        on_balance: Callable[[Balance, Decimal | None], None],
        on_change: Callable[[], None],
        on_late: Callable[[Balance | None], None],
    ) -> None:
        self._rest = rest
        self._book = book
        self._agenda = agenda
        self._subaccount = subaccount
        self._on_balance = on_balance
        self._on_change = on_change
        self._errand = Errand(on_late)

    async def read(self, since: datetime | None) -> Balance | None:
        """
        The balance, if it may be asked for now and comes soon; a late one is told later.

        Args:
            since: what `read_age` said before.
        """
        if self._errand.is_under_way or not self._agenda.may_read_balance(monotonic()):
            return None
        return await self._errand.wait(self._ask(since), HELP_SECONDS)

    def came(self, balance: Balance) -> None:
        """Take one that was read."""
        surprise = self._book.told(balance)
        if surprise or (self._book.cash and self._book.cash.is_provisional):
            # What moved it is not known yet, or it can't be told whether it contains what did: the
            # next one will show.
            self._agenda.cash_moved(monotonic())
        self._on_balance(balance, surprise)
        self._on_change()

    def stop(self) -> None:
        """Ask no more."""
        self._errand.stop()

    async def _ask(self, since: datetime | None) -> Balance | None:
        as_of = timezone.now()
        try:
            balance = await self._rest.balance(self._subaccount)
        except RateLimited:
            self._agenda.cash_moved(monotonic())
            return None
        except ScopeRefused:
            # A key may be allowed the positions alone: then the cash is unknown, and shown so.
            return None
        except (Unavailable, DecodeError, RequestRejected, KeyRefused, ClockSkew) as error:
            logger.warning("balance not told", extra={"error": str(error)})
            self._agenda.balance_failed(monotonic())
            return None
        # Between the two instants of its own the exchange answered.
        until = await read_age(self._rest)
        return Balance(
            to_six_decimals(balance.balance),
            balance.portfolio_value,
            as_of,
            since,
            until or timezone.now() + CLOCK_ERROR,
        )
