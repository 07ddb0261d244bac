"""REST of what happened; a file for each of its subjects."""

from ninja import Router

from accounts.sessions import SessionCookie

router = Router(tags=["ledger"], auth=SessionCookie())
