"""REST of what happened; a file for each of its subjects, with a router of its own."""

from ninja import Router

from accounts.sessions import SessionCookie
from ledger.api import (
    days,
    equity,
    lists,
    market_data,
    one_position,
    proof,
    statistics,
    trades,
)

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (lists, trades, statistics, equity, days, proof, market_data, one_position):
    router.add_router("", part.router)
