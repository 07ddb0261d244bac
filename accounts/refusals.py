"""
What is answered to a request that is not served as asked: JSON to programs, a page to people.

Needs neither a request nor the database, so that also what stands in front of Django can answer.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus

from django.template import loader

from accounts import browser_rules
from accounts.errors import ApiError, NotFound

logger = logging.getLogger(__name__)

_PROGRAMS = ("/api/", "/sse/")


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why a request is not served.

    Args:
        code: for programs, in snake_case.
        message: one or more sentences for a person; shown as text, whatever it holds.
        headers: what else the answer says, such as `Retry-After`.
    """

    status: HTTPStatus
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP response."""

    status: HTTPStatus
    headers: dict[str, str]
    body: bytes


CSRF_FAILED = Refusal(
    HTTPStatus.FORBIDDEN,
    "csrf_failed",
    "The request does not carry the token that shows it comes from a page of this server.",
)

# What is said where nothing more is known than the status.
_BY_STATUS = {
    refusal.status: refusal
    for refusal in (
        Refusal(
            HTTPStatus.BAD_REQUEST,
            "malformed_request",
            "The request cannot be read.",
        ),
        Refusal(HTTPStatus.FORBIDDEN, "forbidden", "You may not see or do this."),
        Refusal(HTTPStatus.NOT_FOUND, NotFound.code, NotFound.message),
        Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "What is here cannot be asked for in this way.",
        ),
        Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "request_too_large",
            "The request is larger than this server takes.",
        ),
        Refusal(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_requests",
            "There were too many requests.",
        ),
        Refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal_error",
            "The server could not answer because of an error of its own.",
        ),
        Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer at the moment.",
        ),
    )
}

# For the page: its title, and what can be done.
_TITLES_AND_ADVICE = {
    HTTPStatus.BAD_REQUEST: ("Not understood", "Go back, load the page again, and try once more."),
    HTTPStatus.UNAUTHORIZED: ("Not signed in", "Sign in on the first page, then come back."),
    HTTPStatus.FORBIDDEN: (
        "Not allowed",
        "If the page was open for long, load it again and try once more.",
    ),
    HTTPStatus.NOT_FOUND: ("Not found", "Check the address, or begin at the first page."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("Not possible here", "Begin again at the first page."),
    HTTPStatus.REQUEST_TIMEOUT: ("Too slow", "Check the connection, then try again."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("Too large", "Send less at once."),
    HTTPStatus.TOO_MANY_REQUESTS: ("Too many requests", "Wait a while, then try again."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "Too large",
        "Delete this site’s cookies in the browser, then try again.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Something went wrong",
        "Try again. If it stays so, the server’s log says what it is. Your positions on the "
        "exchange are not affected.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "Back in a moment",
        "Try again in a few seconds. Your positions on the exchange are not affected.",
    ),
}
# What may be otherwise the next time, at the same address.
_WORTH_ANOTHER_TRY = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
}

# The page without style, which needs no template and no static file.
_BARE_PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{title} · Kalshi Live</title>
</head>
<body>
  <main>
    <h1>{title}</h1>
    <p>{message}</p>
    <p>{advice}</p>
    <p><a href="/">To the first page</a></p>
  </main>
</body>
</html>
"""


def is_for_programs(path: str) -> bool:
    """Whether errors at this path are told in JSON, else on a page."""
    return path.startswith(_PROGRAMS)


def of_status(status: int) -> Refusal:
    """What is said where only the status is known."""
    known = HTTPStatus(status)
    message = f"{known.description or known.phrase}."
    return _BY_STATUS.get(known) or Refusal(known, known.name.lower(), message)


def of_api_error(error: ApiError) -> Refusal:
    """An error as it tells itself."""
    return Refusal(error.status, error.code, str(error), error.headers)


def answer(path: str, refusal: Refusal) -> Answer:
    """The response that tells a refusal to whoever asks at this path; always one, even if bare."""
    if is_for_programs(path):
        content_type = "application/json"
        error = {"code": refusal.code, "message": refusal.message}
        body = json.dumps({"error": error}).encode()
    else:
        content_type = "text/html; charset=utf-8"
        body = _page(refusal).encode()
    return Answer(
        refusal.status,
        {
            **browser_rules.headers(path, refusal.status),
            **refusal.headers,
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
        },
        body,
    )


def _page(refusal: Refusal) -> str:
    title, advice = _TITLES_AND_ADVICE.get(
        refusal.status, (refusal.status.phrase.capitalize(), "Begin again at the first page.")
    )
    words = {"title": title, "message": refusal.message, "advice": advice}
    is_worth_another_try = refusal.status in _WORTH_ANOTHER_TRY
    try:
        return loader.render_to_string("refusal.html", {**words, "retry": is_worth_another_try})
    except Exception:
        # Static files that were never collected, say. There is nobody left to tell this to.
        logger.exception("error page failed")
        return _BARE_PAGE.format_map({name: escape(text) for name, text in words.items()})
