"""The REST API: one router an app, one shape for errors."""

from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from accounts.api import router as accounts_router
from accounts.responses import answer_errors
from config.api_reference import Reference
from positions.api import router as positions_router

api = NinjaAPI(
    title="Kalshi Live",
    version="1",
    description="Your positions on Kalshi, live.",
    docs=Reference(),
    # Exempt, as they only read: a POST is to be told that it is no method for this.
    docs_decorator=lambda view: csrf_exempt(require_safe(view)),
)
api.add_router("/account/", accounts_router)
api.add_router("/account/", positions_router)
answer_errors(api)
