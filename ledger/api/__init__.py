"""REST of what happened; a file for each of its subjects."""

from ninja import Router

from accounts.sessions import SessionCookie
from ledger.api import proof

router = Router(tags=["ledger"], auth=SessionCookie())
for part in (proof,):
    router.add_router("", part.router)
