"""
What can go wrong between a visitor and an account, told as the API tells it.

    ApiError
    ├── NotSignedIn
    ├── NotFound
    │   └── NoAccount
    ├── SignInAgain
    ├── StaffOnly
    ├── UnfitUsername
    ├── UnfitPassword
    ├── PasskeyRefused
    ├── TooManyPasskeys
    ├── HttpsNeeded
    ├── MetricsToken
    ├── MetricsElsewhere
    ├── TooManyTries
    ├── TooManyStreams
    ├── NoWebSocket
    ├── MalformedRequest
    ├── InvalidRequest
    ├── UnreadableCookies
    ├── RequestTooLarge
    ├── RequestTooSlow
    ├── Busy
    ├── SignInRefused              the visitor can do something about it
    │   ├── MissingField
    │   ├── UnknownEnvironment
    │   ├── LoopbackOnly
    │   ├── InvalidApiKeyId
    │   ├── TradingKeyUnconfirmed
    │   ├── RegistrationClosed
    │   ├── AccountHasOwner
    │   ├── Deactivated
    │   ├── SandboxRefuses
    │   └── FailedTry              and it counts towards TooManyTries
    │       ├── InvalidPrivateKey
    │       ├── KeyRefused
    │       ├── KeyScope
    │       ├── UsernameTaken      or names could be asked for without an end
    │       ├── WrongPassword
    │       ├── WrongPasskey
    │       └── WrongLink
    ├── ExchangeUnavailable        nobody's fault here: try again later
    │   ├── ExchangeMaintenance
    │   └── ClockSkewed
    └── DatabaseAway

    CredentialUnusable             for the worker: this stored key cannot sign now
"""

from http import HTTPStatus
from typing import Literal


class ApiError(Exception):
    """An error with its HTTP status, a code for programs and a message for a person."""

    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    code = "bad_request"
    message = "The request cannot be answered."
    # When to try again, where that may help.
    retry_after_seconds: int | None = None

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response that tells it."""
        seconds = self.retry_after_seconds
        return {} if seconds is None else {"Retry-After": str(seconds)}


class NotSignedIn(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    code = "not_signed_in"
    message = "Sign in first."


class NotFound(ApiError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    message = "There is nothing here by that name."


class NoAccount(NotFound):
    code = "no_account"
    message = "You have no account here yet. Add one with a key of the exchange."


class SignInAgain(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "sign_in_again"
    message = "Sign in again, by password or passkey: this needs you, not a key, and lately."


class StaffOnly(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "staff_only"
    message = "Only the staff of this server may do this."


class UnfitUsername(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unfit_username"


class UnfitPassword(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unfit_password"


class PasskeyRefused(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "passkey_refused"
    message = "The browser's answer makes no passkey here. Begin again."


class TooManyPasskeys(ApiError):
    status = HTTPStatus.CONFLICT
    code = "too_many_passkeys"
    message = "You have as many passkeys as there may be. Delete one first."


class HttpsNeeded(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "https_needed"
    message = "This server answers by https only."


class MetricsToken(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    code = "metrics_token"
    message = "The metrics are for whoever sends METRICS_TOKEN as a bearer token."

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class MetricsElsewhere(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "metrics_elsewhere"
    message = (
        "The metrics are for this machine alone, without a proxy between, until METRICS_TOKEN is "
        "set."
    )


class TooManyTries(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_tries"

    def __init__(
        self,
        retry_after_seconds: int,
        whose: Literal["from this address", "with this name"] = "from this address",
    ) -> None:
        super().__init__(f"Too many failed tries {whose}. Try again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class TooManyStreams(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_streams"
    message = (
        "This session has as many streams open as it may. Close a tab of the dashboard, or a "
        "program that reads the stream."
    )
    retry_after_seconds = 10


class NoWebSocket(ApiError):
    code = "no_websocket"
    message = "There are no WebSockets here. The stream is GET /sse/positions."


class MalformedRequest(ApiError):
    code = "malformed_request"
    message = "The request cannot be read."


class InvalidRequest(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_request"


class UnreadableCookies(ApiError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "unreadable_cookies"
    message = "The cookies that came along would take too long to read."


class RequestTooLarge(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "request_too_large"

    def __init__(self, longest_bytes: int) -> None:
        super().__init__(f"The request's body is larger than {longest_bytes // 1024} KB.")


class RequestTooSlow(ApiError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_too_slow"
    message = "The request took too long to arrive."


class Busy(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "busy"
    message = "The server has more to do than it can at the moment. Try again in a few seconds."
    retry_after_seconds = 5


class SignInRefused(ApiError):
    """Signing in so cannot succeed; signing in otherwise may."""


class MissingField(SignInRefused):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "missing_field"
    message = "Both the API key ID and the private key are needed."


class UnknownEnvironment(SignInRefused):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unknown_environment"
    message = "This server knows no such environment of the exchange."


class LoopbackOnly(SignInRefused):
    status = HTTPStatus.FORBIDDEN
    code = "loopback_only"
    message = "The sandbox's own key opens it only from the machine that this server runs on."


class InvalidApiKeyId(SignInRefused):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_api_key_id"


class TradingKeyUnconfirmed(SignInRefused):
    status = HTTPStatus.CONFLICT
    code = "trading_key_unconfirmed"
    message = (
        "This key can also trade or move money, which is never needed here. A key that can only "
        "read is safer; confirm to use this one all the same."
    )


class RegistrationClosed(SignInRefused):
    status = HTTPStatus.FORBIDDEN
    code = "registration_closed"


class AccountHasOwner(SignInRefused):
    status = HTTPStatus.CONFLICT
    code = "account_has_owner"
    message = (
        "This account belongs to another user here. If that is you too: sign out, sign in with "
        "this key, forget the account there, and add it again."
    )


class Deactivated(SignInRefused):
    status = HTTPStatus.FORBIDDEN
    code = "deactivated"
    message = "Whoever runs this server has closed it to you. Ask them."


class SandboxRefuses(SignInRefused):
    status = HTTPStatus.UNAUTHORIZED
    code = "sandbox_refuses"
    message = (
        "The sandbox refuses the key that it has written down. End what its control page does to "
        "its answers, or start the sandbox anew: then it takes this key again."
    )


class FailedTry(SignInRefused):
    """A key or password that is no good: what someone guessing would see again and again."""


class InvalidPrivateKey(FailedTry):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_private_key"


class KeyRefused(FailedTry):
    status = HTTPStatus.UNAUTHORIZED
    code = "key_refused"
    message = (
        "The exchange refuses this key: the key ID is unknown in this environment, or the "
        "private key does not belong to it."
    )


class KeyScope(FailedTry):
    status = HTTPStatus.FORBIDDEN
    code = "key_scope"
    message = "This key may not read the portfolio. Create one with the scope “read”."


class UsernameTaken(FailedTry):
    status = HTTPStatus.CONFLICT
    code = "username_taken"
    message = "Somebody else has this name. Choose another."


class WrongPassword(FailedTry):
    status = HTTPStatus.UNAUTHORIZED
    code = "wrong_password"
    message = "The name and the password do not belong together."


class WrongPasskey(FailedTry):
    status = HTTPStatus.UNAUTHORIZED
    code = "wrong_passkey"
    message = (
        "This passkey opens nothing here: it was removed, or the request is older than five "
        "minutes. Try again, or sign in another way."
    )


class WrongLink(FailedTry):
    status = HTTPStatus.UNAUTHORIZED
    code = "wrong_link"
    message = (
        "This link was used already, or is older than an hour. Whoever runs the server can make "
        "another: manage.py recover."
    )


class ExchangeUnavailable(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "exchange_unavailable"
    message = "The exchange cannot be reached at the moment. Try again in a while."


class ExchangeMaintenance(ExchangeUnavailable):
    code = "maintenance"
    message = "The exchange is in maintenance. Try again when it is over."


class ClockSkewed(ExchangeUnavailable):
    code = "clock_skew"
    message = (
        "The clocks of this server and of the exchange differ too much for a signature to be "
        "accepted. Set this server's clock."
    )


class DatabaseAway(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "database_unavailable"
    message = "The database cannot be reached at the moment. Try again in a while."
    retry_after_seconds = 2


class CredentialUnusable(Exception):
    """
    A stored key cannot sign.

    `reason` is "credential_unreadable" where it is gone, can't be opened or is no key;
    "environment_missing" where this server is not configured for its environment.
    """

    def __init__(
        self,
        message: str,
        reason: Literal["credential_unreadable", "environment_missing"] = "credential_unreadable",
    ) -> None:
        super().__init__(message)
        self.reason: Literal["credential_unreadable", "environment_missing"] = reason
