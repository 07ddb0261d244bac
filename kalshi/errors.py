"""
What can go wrong between us and the exchange, sorted by what the caller can do about it.

    KalshiError
    ├── DecodeError        not what the exchange documents: count it, ask again
    │   └── LegacyShape    what it documented in former years
    ├── KeyRefused         the exchange does not accept the key: the user must act
    ├── ScopeRefused       the key may not do this: the user must act
    ├── ClockSkew          our clock and the exchange's differ: the operator must act
    ├── RequestRejected    the request itself is wrong: repeating it is pointless
    └── Unavailable        network, time-out, maintenance: wait and try again
        ├── RateLimited    the same, and slower
        ├── ServerFailed   5xx: the exchange answered that it can't
        ├── AnswerTooLarge an answer without measure, given up
        └── TurnedAway     what stands before the exchange refused; the exchange said nothing

Every message is written for a person and holds neither key nor signature nor what was received.
"""

import json
import re
from datetime import datetime

from kalshi.clocks import server_time

_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")
# The words the exchange refuses a key with, as recorded in June 2026. Gateways write codes of their
# own ("AccessDenied", "unauthorized") in much the same shape.
_TIMESTAMP_EXPIRED = "header_timestamp_expired"
_VERDICTS_ON_A_KEY = frozenset(
    {"authentication_error", "signature_is_missing_from_headers", _TIMESTAMP_EXPIRED}
)
# The exchange's own errors take some hundred bytes. What is longer is not read.
_LONGEST_ERROR = 2**16


class KalshiError(Exception):
    """Root of all errors of this package."""


class DecodeError(KalshiError):
    """Text that is not what the exchange documents. Names the field at fault, never its content."""


class LegacyShape(DecodeError):
    """
    The integers of before March 2026 in place of decimal strings.

    Told apart because nothing is broken on the way: an old recording or an old imitation of the
    exchange is on the other side. Never converted, as cents have lost what prices have since.
    """


class KeyRefused(KalshiError):
    """401: the key ID is unknown to the exchange, or the signature does not belong to it."""


class ScopeRefused(KalshiError):
    """403: the key is good but may not do this (scope, subaccount, kind of membership)."""


class ClockSkew(KalshiError):
    """
    401 for a timestamp too far from the exchange's clock.

    Attributes:
        server_time: the exchange's clock when it answered (UTC), if the answer told it.
    """

    def __init__(self, server_time: datetime | None = None) -> None:
        told = "" if server_time is None else f": at the exchange it is {server_time:%H:%M:%S} UTC"
        super().__init__(
            f"This server's clock differs too much from the exchange's{told}. "
            "Synchronise it, for example with NTP."
        )
        self.server_time = server_time


class RequestRejected(KalshiError):
    """
    Any other 4xx.

    Attributes:
        status: of the HTTP answer.
        code: the exchange's own word for the reason, such as `not_found`, if it gave one.
    """

    def __init__(self, status: int, code: str | None = None) -> None:
        reason = f"{status}, {code}" if code else str(status)
        super().__init__(f"The exchange rejected the request ({reason}).")
        self.status = status
        self.code = code


class Unavailable(KalshiError):
    """The exchange did not answer, or not in a usable way. Worth another try after a while."""


class RateLimited(Unavailable):
    """429: too many requests. The exchange names no delay, so back off with jitter."""

    def __init__(self) -> None:
        super().__init__("The exchange received too many requests from this account.")


class ServerFailed(Unavailable):
    """5xx: the exchange answered, and could not do what it was asked."""


class AnswerTooLarge(Unavailable):
    """More than the exchange has ever reason to answer; it was given up before it was all here."""

    def __init__(self) -> None:
        super().__init__("The exchange's answer is too large.")


class TurnedAway(Unavailable):
    """
    401 or 403 without the exchange's own error: a content network, a proxy or a firewall answered.

    It tells nothing of the key, which the exchange has not even seen.

    Attributes:
        status: of the HTTP answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(
            "Something on the way to the exchange refuses this server's requests "
            f"({status}, not in the exchange's words). The key was not judged."
        )
        self.status = status


def error_of_response(status: int, body: bytes, date: str | None) -> KalshiError:
    """
    The error that an unsuccessful HTTP answer stands for; never raises.

    Args:
        status: anything but success.
        body: JSON in any of the exchange's shapes, plain text, HTML or nothing.
        date: the answer's Date header, if it had one.
    """
    code, details = _reason(body)
    match status:
        case 401 if code == _TIMESTAMP_EXPIRED:
            return ClockSkew(server_time(date))
        case 401 if code not in _VERDICTS_ON_A_KEY:
            return TurnedAway(status)
        case 403 if code is None:
            return TurnedAway(status)
        case 401:
            return _key_refused(details)
        case 403:
            return ScopeRefused("The exchange does not allow this API key to do that.")
        case 429:
            return RateLimited()
        case 408:
            return Unavailable("The exchange took too long to answer (408).")
        case _ if 400 <= status < 500:
            return RequestRejected(status, code)
        case _ if 300 <= status < 400:
            return Unavailable(f"The exchange's address answers with a redirect ({status}).")
        case _:
            return ServerFailed(f"The exchange is not available at the moment ({status}).")


def _key_refused(details: object) -> KeyRefused:
    match details:
        case "NOT_FOUND":
            return KeyRefused("The exchange does not know this API key ID.")
        case "INCORRECT_API_KEY_SIGNATURE":
            return KeyRefused("The private key does not belong to this API key ID.")
        case _:
            return KeyRefused("The exchange does not accept this API key.")


def _reason(body: bytes) -> tuple[str | None, object]:
    """
    The exchange's code and details, from whichever of its shapes the body has.

    Shapes: {"error": {"code", "details"}}, {"code", "details"}, {"msg"}, {"error": "text"}, and
    no JSON at all.
    """
    if len(body) > _LONGEST_ERROR:
        return None, None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        answer = answer["error"]
    if not isinstance(answer, dict):
        return None, None
    code = answer.get("code")
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    return code if is_code else None, answer.get("details")
