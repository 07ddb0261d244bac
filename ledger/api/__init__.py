"""REST of what happened; a file for each of its subjects, with a router of its own."""

from ninja import Router

from accounts.sessions import SessionCookie
from ledger.api import lists, one_position

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (lists, one_position):
from ledger.api import days, equity, lists, proof

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (lists, equity, days, proof):
from ledger.api import lists, statistics, trades

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (lists, trades, statistics):
from ledger.api import market_data

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (market_data,):
    router.add_router("", part.router)
