"""Who may read the metrics."""

import hmac
from typing import Literal

Verdict = Literal["allowed", "wrong_token", "elsewhere"]


def verdict(*, token: str | None, authorization: str | None, is_direct_loopback: bool) -> Verdict:
    """
    Whether this request may.

    Args:
        token: METRICS_TOKEN; None: this machine itself may, and nobody else.
        authorization: the request's header.
        is_direct_loopback: `accounts.addresses.is_direct_loopback`.
    """
    if token is None:
        return "allowed" if is_direct_loopback else "elsewhere"
    scheme, _, given = (authorization or "").partition(" ")
    # However much of it is right, it takes as long.
    is_right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return "allowed" if is_right and scheme.lower() == "bearer" else "wrong_token"
