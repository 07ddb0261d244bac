"""Errors as Django's responses: one shape, whatever went wrong and wherever."""

import logging
from http import HTTPStatus

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    RawPostDataException,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts import field_problems, refusals
from accounts.errors import ApiError, DatabaseAway, NotSignedIn
from accounts.refusals import Refusal
from postgres.errors import DATABASE_TROUBLE

logger = logging.getLogger(__name__)

# A body, or what names it, that cannot be read.
_UNREADABLE = (
    BadRequest,
    MultiPartParserError,
    RawPostDataException,
    SuspiciousOperation,
    UnreadablePostError,
)


class RefusalResponse(HttpResponse):
    """
    A response that already has the shape that errors have.

    Attributes:
        code: of the error.
    """

    code = ""


def refusal_response(path: str, refusal: Refusal) -> RefusalResponse:
    """The answer to whoever asks at this path: a page, or JSON."""
    answer = refusals.answer(path, refusal)
    response = RefusalResponse(answer.body, status=answer.status, headers=answer.headers)
    response.code = refusal.code
    # Django's own mark: it would log as an error what `answer_to` has logged, that a server is busy
    # or its database away.
    response._has_been_logged = answer.status == HTTPStatus.SERVICE_UNAVAILABLE  # type: ignore[attr-defined]
    return response


def answer_to(request: HttpRequest, error: Exception) -> RefusalResponse:
    """The answer to what a view raised; trouble of ours is logged."""
    refusal = refusal_of(error)
    if isinstance(error, DATABASE_TROUBLE):
        logger.warning("database away", extra={"path": request.path, "error": type(error).__name__})
    elif refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning("not served now", extra={"path": request.path, "code": refusal.code})
    elif refusal.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed", exc_info=error, extra={"path": request.path})
    return refusal_response(request.path, refusal)


def refusal_of(error: BaseException | None) -> Refusal:
    """What is told of an error; of one that nobody foresaw, only that there was one."""
    match error:
        case ApiError():
            return refusals.of_api_error(error)
        case _ if isinstance(error, DATABASE_TROUBLE):
            return refusals.of_api_error(DatabaseAway())
        case Http404():
            return refusals.of_status(404)
        case PermissionDenied():
            return refusals.of_status(403)
        case RequestDataTooBig():
            return refusals.of_status(413)
        case _ if isinstance(error, _UNREADABLE):
            return refusals.of_status(400)
        case _:
            return refusals.of_status(500)


def answer_errors(api: NinjaAPI) -> None:
    """Make the API answer every error in the one shape: no stack trace, no value sent."""
    api.exception_handler(ValidationError)(_validation_error)
    api.exception_handler(HttpError)(_http_error)
    api.exception_handler(Http404)(answer_to)
    api.exception_handler(Exception)(answer_to)


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = {field_problems.sentence(problem) for problem in error.errors}
    refusal = Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", " ".join(sorted(problems))
    )
    return refusal_response(request.path, refusal)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    match error.status_code:
        case HTTPStatus.UNAUTHORIZED:
            refusal = refusals.of_api_error(NotSignedIn())
        case HTTPStatus.FORBIDDEN:
            # django-ninja's only reason for it.
            refusal = refusals.CSRF_FAILED
        case status:
            refusal = refusals.of_status(status)
    return refusal_response(request.path, refusal)
