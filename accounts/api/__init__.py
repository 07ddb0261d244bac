"""Endpoints of people, their accounts and sessions, under `/api/v1/account/`."""

from ninja import Router

from accounts.api import exchange_accounts, invitations, sessions, sign_in, ways_in

router = Router(tags=["account"])
for part in (sign_in, sessions, ways_in, exchange_accounts, invitations):
    router.add_router("", part.router)
