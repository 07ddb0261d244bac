"""Whether an environment of the exchange can be reached, asked as anybody may, without a key."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx

from kalshi import clocks
from kalshi.environments import Environment
from kalshi.errors import DecodeError
from kalshi.fields import parse
from kalshi.pacing import Pacer
from kalshi.resources import ExchangeStatus
from kalshi.transport import Answer, Transport, answer_of


@dataclass(frozen=True, slots=True)
class Reached:
    """
    What the exchange said, and how.

    Attributes:
        seconds: until its answer was here.
        clock_skew: how far our clock is ahead of the exchange's, negative if behind; right to about
            half a second. None when the answer does not tell.
    """

    status: ExchangeStatus
    seconds: float
    clock_skew: timedelta | None


async def ask(
    environment: Environment,
    *,
    timeout_seconds: float,
    http: httpx.AsyncClient | None = None,
    clock: Callable[[], float] = time.time,
) -> Reached:
    """
    Ask for the exchange's status.

    Args:
        clock: ours, Unix time in seconds.
    Raises:
        KalshiError: nobody answered, or nobody who speaks as the exchange does.
    """
    transport = Transport(
        environment,
        "",
        None,
        http=http,
        clock=clock,
        timeout_seconds=timeout_seconds,
        pacer=Pacer(),
    )
    try:
        sent_at, started = clock(), time.monotonic()
        answer = await transport.send("/exchange/status")
        seconds = time.monotonic() - started
        skew = clocks.skew(answer.date, sent_at, seconds)
        # Its date is that of when a cache on the way got it.
        told = None if skew is None else skew - answer.age
        return Reached(status_of(answer), seconds, told)
    finally:
        await transport.close()


def status_of(answer: Answer) -> ExchangeStatus:
    """
    Whether the exchange is open, also when it tells so in a 5xx answer.

    Raises:
        KalshiError: its children: it does not say.
    """
    try:
        return ExchangeStatus.decode(parse(answer.body))
    except DecodeError:
        answer_of(answer)
        raise


def obstacle(error: BaseException) -> str | None:
    """
    What lies behind an error of reaching the exchange, in a few words; None if it can't be told.

    By the kinds of errors alone: their texts may quote what was sent.
    """
    seen: BaseException | None = error
    while seen is not None:
        match seen:
            case ssl.SSLCertVerificationError():
                return "its certificate is not trusted here"
            case ssl.SSLError():
                return "no TLS connection comes about"
            case socket.gaierror():
                return "its name can't be resolved"
            case ConnectionRefusedError():
                return "nobody listens there"
            case httpx.ProxyError():
                return "the proxy refuses"
            case TimeoutError() | httpx.TimeoutException():
                return "no answer came in time"
        seen = seen.__cause__ or seen.__context__
    return None
