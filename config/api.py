"""The REST API: one router an app, one shape for errors."""

from ninja import NinjaAPI

from accounts.api import router as accounts_router
from accounts.responses import answer_errors
from positions.api import router as positions_router

api = NinjaAPI(title="Kalshi Live", version="1", description="Your positions on Kalshi, live.")
api.add_router("/account/", accounts_router)
api.add_router("/account/", positions_router)
answer_errors(api)
