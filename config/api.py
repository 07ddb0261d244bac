"""The REST API: one router an app, one shape for errors."""

from functools import cached_property
from http import HTTPStatus
from typing import Any

from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from accounts.api import router as accounts_router
from accounts.responses import answer_errors
from config.api_reference import Reference
from ledger.api import router as ledger_router
from positions.api import router as positions_router

# What every call may be answered with, before or beside what it does itself.
ANY_CALL = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
# And what changes something, without the CSRF token.
UNSAFE_CALL = (*ANY_CALL, HTTPStatus.FORBIDDEN)


class Api(NinjaAPI):
    """django-ninja's, whose OpenAPI document tells also what the server answers by itself."""

    @cached_property
    def document(self) -> OpenAPISchema:
        """The document; made once, as it takes 20 ms and strangers may ask for it."""
        document = super().get_openapi_schema()
        for calls in document["paths"].values():
            for method, call in calls.items():
                for status in ANY_CALL if method == "get" else UNSAFE_CALL:
                    call["responses"].setdefault(status.value, _error(status))
        return document

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:  # Any: django-ninja's own
        """The document, for whoever asks by django-ninja's name for it."""
        return self.document


def _error(status: HTTPStatus) -> dict[str, object]:
    shape = {"$ref": "#/components/schemas/ErrorOut"}
    return {"description": status.phrase, "content": {"application/json": {"schema": shape}}}


api = Api(
    title="Kalshi Live",
    version="1",
    description="Your positions on Kalshi, live.",
    docs=Reference(),
    # Exempt, as they only read: a POST is to be told that it is no method for this.
    docs_decorator=lambda view: csrf_exempt(require_safe(view)),
)
api.add_router("/account/", accounts_router)
api.add_router("/account/", positions_router)
api.add_router("/account/", ledger_router)
answer_errors(api)
