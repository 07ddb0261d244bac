"""REST of what happened; a file for each of its subjects, with a router of its own."""

from ninja import Router

from accounts.sessions import SessionCookie
from ledger.api import market_data

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (market_data,):
    router.add_router("", part.router)
