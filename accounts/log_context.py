"""
What a line of the log is about, known from where it is written: a request, an account.

Whoever begins such work says so once; whatever is logged in it, however deep, need not be told.
Threads that work for several (`postgres.threads`) know nothing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex

# Of a response, so that who has trouble can name the request.
HEADER = "X-Request-ID"
_REQUEST_ID_BYTES = 8

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_account_id: ContextVar[int | None] = ContextVar("account_id", default=None)


def fields() -> dict[str, object]:
    """What is known here, by the names that it has in the log."""
    known = {"request_id": _request_id.get(), "account_id": _account_id.get()}
    return {name: value for name, value in known.items() if value is not None}


def request_id() -> str | None:
    """Of the request that is being answered; None outside of any."""
    return _request_id.get()


@contextmanager
def of_a_request() -> Iterator[None]:
    """
    A new request.

    Its id is ours alone: one that came with it could be anything, another request's too.
    """
    token = _request_id.set(token_hex(_REQUEST_ID_BYTES))
    try:
        yield
    finally:
        _request_id.reset(token)


@contextmanager
def of_account(account_id: int) -> Iterator[None]:
    """Work for this account alone."""
    token = _account_id.set(account_id)
    try:
        yield
    finally:
        _account_id.reset(token)
