"""Errors as the API's answers: one shape, whatever went wrong."""

import logging
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts import field_problems
from accounts.errors import ApiError, DatabaseAway, NotFound, NotSignedIn

logger = logging.getLogger(__name__)

CODES = {
    HTTPStatus.BAD_REQUEST: "malformed_request",
    HTTPStatus.FORBIDDEN: "csrf_failed",
}


def error_response(error: ApiError) -> JsonResponse:
    """The answer that tells an error, also for views outside the API."""
    return _response(error.status, error.code, str(error), error.headers)


@csrf_exempt  # it does nothing, and every method is to be told so
def unknown_call(request: HttpRequest, call: str) -> HttpResponse:
    """The answer to a call that the API does not have."""
    return error_response(NotFound())


def answer_errors(api: NinjaAPI) -> None:
    """Make the API answer every error in the one shape: no stack trace, no value sent."""
    api.exception_handler(ApiError)(_api_error)
    api.exception_handler(ValidationError)(_validation_error)
    api.exception_handler(HttpError)(_http_error)
    api.exception_handler(Http404)(_not_found)
    api.exception_handler(OperationalError)(_database_away)
    api.exception_handler(InterfaceError)(_database_away)
    api.exception_handler(SuspiciousOperation)(_unreadable_body)
    api.exception_handler(RawPostDataException)(_unreadable_body)
    api.exception_handler(Exception)(_bug)


def _api_error(request: HttpRequest, error: ApiError) -> HttpResponse:
    return error_response(error)


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = {field_problems.sentence(problem) for problem in error.errors}
    return _response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", " ".join(sorted(problems)))


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return error_response(NotSignedIn())
    status = HTTPStatus(error.status_code)
    return _response(status, CODES.get(status, status.name.lower()), f"{error}.")


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_response(NotFound())


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("database away", extra={"path": request.path, "error": type(error).__name__})
    return error_response(DatabaseAway())


def _unreadable_body(request: HttpRequest, error: Exception) -> HttpResponse:
    return _response(HTTPStatus.BAD_REQUEST, "malformed_request", "The body cannot be read.")


def _bug(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("request failed", exc_info=error, extra={"path": request.path})
    return _response(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on the server."
    )


def _response(
    status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None
) -> JsonResponse:
    body = {"error": {"code": code, "message": message}}
    return JsonResponse(body, status=status, headers=headers)
