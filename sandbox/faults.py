"""
What can go wrong between the exchange and a client, to be caused at will.

Faults wait here until an answer or a frame comes by that they are meant for.
"""

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import responses
from typing import Literal, get_args

from sandbox import wire
from sandbox.rest.query import error
from sandbox.spoiling import Spoil
from sandbox.wire import Json

FrameFault = Literal["half", "garbage", "duplicate", "reorder", "stale"]
Body = Literal["json", "html", "text", "empty"]
Handshake = Literal["accept", "accept_then_close"]
Way = Literal["there", "back"]

FRAME_FAULTS: tuple[FrameFault, ...] = get_args(FrameFault)
# How many frames ago a stale one was sent, at most.
_REMEMBERED = 50

_REASONS = {
    400: ("bad_request", "bad request"),
    403: ("forbidden", "forbidden"),
    404: ("not_found", "not found"),
}


@dataclass(slots=True)
class FailedAnswer:
    """
    Answers that fail instead of being worked out.

    The exchange itself says why in `json`; what stands before it, in `html`, `text` or not at all.

    Args:
        path: only calls whose path below the version begins so; `/ws` is the handshake.
        times: how many still do, None for all.
    """

    status: int
    body: Body = "json"
    path: str = ""
    times: int | None = 1


@dataclass(slots=True)
class RefusedCommands:
    """
    Commands about a channel that are answered with an error instead of being carried out.

    Args:
        times: how many still are, None for all.
    """

    channel: str
    code: int
    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Latency:
    """
    How long calls take.

    Args:
        way: `there` delays the call, which is then answered as things stand; `back` delays the
            answer, which tells how things stood when it was asked for.
    """

    seconds: float
    way: Way = "there"


@dataclass(slots=True)
class Faults:
    """
    The faults that lie in wait.

    Args:
        latency_seconds: added to every frame, and to every answer without a latency of its own.
        path_latencies: those of calls whose path below the version begins so; `/ws` is the
            handshake, which only has a way there.
        clock_skew: how far the exchange's clock is off.
        handshake: what becomes of a new WebSocket.
        frames: one for each of the next frames of data, whichever connection sends it.
        spoils: fields of answers and frames that are wrong.
        muted: channels about which no command is heard any more; the empty name means all commands.
        refusals: commands that are refused.
    """

    latency_seconds: float = 0.0
    path_latencies: dict[str, Latency] = field(default_factory=dict)
    clock_skew: timedelta = timedelta()
    handshake: Handshake = "accept"
    answers: list[FailedAnswer] = field(default_factory=list)
    frames: deque[FrameFault] = field(default_factory=deque)
    spoils: list[Spoil] = field(default_factory=list)
    muted: set[str] = field(default_factory=set)
    refusals: list[RefusedCommands] = field(default_factory=list)

    def latency_of(self, path: str) -> Latency:
        """How long a call takes: as the longest beginning of its path says."""
        known = [each for each in self.path_latencies if path.startswith(each)]
        if not known:
            return Latency(self.latency_seconds)
        return self.path_latencies[max(known, key=len)]

    def failure_of(self, path: str) -> FailedAnswer | None:
        """How a call has to fail, if it does; one of the times is then used up."""
        for failed in self.answers:
            if path.startswith(failed.path):
                if failed.times is not None:
                    failed.times -= 1
                if failed.times == 0:
                    self.answers.remove(failed)
                return failed
        return None

    def refusal_of(self, channels: Set[str]) -> int | None:
        """The error of a command about these channels, if it is refused; that is then used up."""
        for refused in self.refusals:
            if refused.channel in channels:
                if refused.times is not None:
                    refused.times -= 1
                if refused.times == 0:
                    self.refusals.remove(refused)
                return refused.code
        return None

    def clear(self) -> None:
        """Let everything go well again."""
        self.latency_seconds = 0.0
        self.path_latencies.clear()
        self.clock_skew = timedelta()
        self.handshake = "accept"
        self.answers.clear()
        self.frames.clear()
        self.spoils.clear()
        self.muted.clear()
        self.refusals.clear()


def failure_text(failed: FailedAnswer) -> tuple[str, str]:
    """Body and content type of a failed answer, as the exchange or what stands before it says."""
    match failed.body:
        case "empty":
            return "", "text/plain"
        case "text":
            return responses.get(failed.status, "Error"), "text/plain"
        case "html":
            page = f"<html><head><title>{failed.status}</title></head><body></body></html>\n"
            return page, "text/html"
        case "json":
            return wire.encode(_failure(failed.status)), "application/json"


def _failure(status: int) -> Json:
    if status == 429:
        return {"error": "too many requests"}
    if status == 401:
        return error("authentication_error", "authentication_error", "NOT_FOUND")
    return error(*_REASONS.get(status, ("service_unavailable", "service unavailable")))


@dataclass(frozen=True, slots=True)
class Half:
    """A frame of which only the beginning is sent; the connection then ends."""

    text: str


class Distortion:
    """What becomes of one connection's frames of data on their way."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held_back: str | None = None
        self._sent: deque[str] = deque(maxlen=_REMEMBERED)

    def of(self, frame: str) -> list[str | Half]:
        """What is sent for a frame, in order."""
        sent: list[str | Half] = []
        match self._faults.frames.popleft() if self._faults.frames else None:
            case None:
                sent = [frame]
            case "half":
                sent = [Half(frame)]
            case "garbage":
                sent = [frame[: len(frame) // 2]]
            case "duplicate":
                sent = [frame, frame]
            case "stale":
                sent = [frame, *list(self._sent)[:1]]
            case "reorder" if self._held_back is None:
                self._held_back = frame
                return []
            case "reorder":
                sent = [frame]
        if self._held_back is not None:
            sent.append(self._held_back)
            self._held_back = None
        self._sent.append(frame)
        return sent
