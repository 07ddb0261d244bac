"""The product's addresses, and under /fails, /api/fails and /sse/fails what fails in each way."""

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, InternalError, OperationalError
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseNotAllowed,
    RawPostDataException,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.urls import path

from accounts.errors import DatabaseAway, NotSignedIn, TooManyTries
from config import urls

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500

SECRET = "what only the log may say"
RAISED = {
    "bad-request": BadRequest(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "multipart": MultiPartParserError(SECRET),
    "fields": TooManyFieldsSent(SECRET),
    "files": TooManyFilesSent(SECRET),
    "body-read-twice": RawPostDataException(SECRET),
    "client-left": UnreadablePostError(SECRET),
    "not-signed-in": NotSignedIn(),
    "permission": PermissionDenied(SECRET),
    "not-found": Http404(SECRET),
    "too-large": RequestDataTooBig(SECRET),
    "tries": TooManyTries(17),
    "bug": ValueError(SECRET),
    "database": OperationalError(SECRET),
    "connection": InterfaceError(SECRET),
    "read-only": InternalError(SECRET),
    "away": DatabaseAway(),
}
RETURNED = {
    "forbidden": lambda: HttpResponse(SECRET, status=403),
    "method": lambda: HttpResponseNotAllowed(["GET", "PUT"]),
    "limit": lambda: HttpResponse(SECRET, status=429, headers={"Retry-After": "5"}),
    "broken": lambda: HttpResponse(SECRET, status=500),
    "unavailable": lambda: HttpResponse(SECRET, status=503, headers={"Retry-After": "5"}),
}


def fail(request, how):
    raise RAISED[how]


def answer(request, how):
    return RETURNED[how]()


urlpatterns = [
    *(path(f"{under}fails/<how>", fail) for under in ("", "api/", "sse/")),
    *(path(f"{under}answers/<how>", answer) for under in ("", "api/", "sse/")),
    *urls.urlpatterns,
]
