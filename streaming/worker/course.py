"""
The course of one account's connection: what happened, and what to do next. No I/O in here.

    Look ──► Connect ──► (live) ──► Idle ──► Look …
      │         └──► Refuse ──► Look
      └──► Idle

The shell carries out `step`, tells what came of it, and writes `state` for people to see. What
somebody asks for in the middle of a step is kept until that step has ended.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kalshi.errors import ClockSkew, KalshiError, KeyRefused, RateLimited, ScopeRefused
from positions.connection import ConnectionState, Reason, Status
from streaming.worker.backoff import Wait

# What held for so long was good: its end is not the end of a series.
STEADY = timedelta(seconds=30)
# A key is refused for good by two answers in a row; the second is asked for after this long.
CONFIRM_SECONDS = 1.0
# A refused key, or one that can't be used, may have been set right: it is tried this often.
REFUSED_RETRY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """See which keys the account has, then call `found`."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Follow the exchange with this key until that fails, then call `failed` or `unusable`."""

    credential_id: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Note that the exchange refuses this key, then call `noted`."""

    credential_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Wait so many seconds, or until something happens if None, then call `woke`."""

    seconds: float | None


Step = Look | Connect | Refuse | Idle


class Maintenance(KalshiError):
    """The exchange says that it is not active; `resumes_at` is its estimate, if it gives one."""

    def __init__(self, resumes_at: datetime | None) -> None:
        super().__init__("The exchange is in maintenance.")
        self.resumes_at = resumes_at


class Course:
    """
    Where the connection stands and what is next.

    Args:
        live_until: the exchange's last sign of life that an earlier worker had.
        schedule: the waits after failures in a row, begun anew after each good connection.
        jitter: from 0 to 1, by chance.

    Attributes:
        state: as told to people.
        step: what to do now.
    """

    def __init__(
        self,
        now: datetime,
        live_until: datetime | None,
        *,
        schedule: Callable[[], Iterator[Wait]],
        jitter: Callable[[], float],
    ) -> None:
        self.state = ConnectionState("connecting", since=now, live_until=live_until)
        self.step: Step = Look()
        self._new_schedule = schedule
        self._schedule = schedule()
        self._jitter = jitter
        self._live_until = live_until
        self._live_since: datetime | None = None
        # It was live until just now: nothing was tried since.
        self._is_dropped = False
        # Keys that can't sign, and why.
        self._unusable: dict[int, Reason] = {}
        self._refusal: Reason = "key_refused"
        # The key that the exchange refused once and has yet to refuse again.
        self._doubted: int | None = None
        self._tries_refused = False
        # Somebody asked, or the keys changed, while a step was under way.
        self._is_asked = False

    # What came of a step

    def found(self, usable: Sequence[int], refused: Sequence[int], now: datetime) -> None:
        """These are the account's keys, newest first, by what the exchange thought of them."""
        worth_a_try = [*usable, *(refused if self._tries_refused else ())]
        self._tries_refused = self._is_asked = False
        for credential_id in worth_a_try:
            if credential_id not in self._unusable:
                self.step = Connect(credential_id)
                return
        reasons = [self._unusable[each] for each in usable if each in self._unusable]
        if reasons:
            self._rest("disconnected", reasons[0], now)
        elif refused:
            self._rest("unauthorized", self._refusal, now)
        else:
            self._lost("disconnected", "no_credential", now)
            self.step = Idle(None)

    def unusable(self, credential_id: int, reason: Reason) -> None:
        """This key can't sign."""
        self._unusable[credential_id] = reason
        self.step = Look()

    def failed(self, credential_id: int, error: KalshiError, now: datetime) -> None:
        """The attempt with this key, or its connection, ended by this error."""
        match error:
            case KeyRefused() | ScopeRefused():
                self._refusal = "key_scope" if isinstance(error, ScopeRefused) else "key_refused"
                is_final = credential_id == self._doubted or self.state.status == "unauthorized"
                if is_final:
                    self._doubted = None
                    self.step = Refuse(credential_id, str(error))
                    return
                # One answer may be a mistake on the way; two are a verdict.
                self._doubted = credential_id
                self.step = Idle(CONFIRM_SECONDS)
            case _:
                self._wait(next(self._schedule), error, now)
                if self._is_asked:
                    # Whoever asked while the attempt hung wants a new one, not this one's wait.
                    self.state = replace(self.state, retry_at=None)
                    self.step = Look()

    def gone(self) -> None:
        """The key that was in use is no more the account's."""
        self.step = Look()

    def noted(self) -> None:
        """The refusal was noted."""
        self.step = Look()

    def woke(self, now: datetime) -> None:
        """An `Idle` is over, by its time or because of `asked` or `keys_changed`."""
        if self.state.status == "unauthorized":
            self._tries_refused = True
        self._unusable.clear()
        if self.state.status != "maintenance" and self.state.retry_at is not None:
            # Until the attempt has an outcome nothing else is known.
            self.state = replace(self.state, retry_at=None)
        self.step = Look()

    # What happens by itself

    def went_live(self, now: datetime) -> None:
        """The connection shows the exchange's state and follows it."""
        self._doubted = None
        self._is_asked = False
        self._live_since = now
        self.state = ConnectionState("live", since=now)

    def ended(self, last_seen: datetime, now: datetime) -> None:
        """The connection ended; why, `failed` will tell."""
        if self._live_since is None:
            return
        if now - self._live_since > STEADY:
            self._schedule = self._new_schedule()
        self._live_since = None
        self._is_dropped = True
        self._live_until = last_seen
        self._lost("reconnecting", "connection_lost", now)

    def asked(self) -> None:
        """Somebody wants a try now, with a refused key too."""
        self._stir(tries_refused=True)

    def keys_changed(self) -> None:
        """The account's keys are not what they were."""
        # What failed before tells nothing of what comes.
        self._schedule = self._new_schedule()
        self._unusable.clear()
        self._stir(tries_refused=False)

    def stopped(self, now: datetime) -> None:
        """The worker stops: people need not wait until its heartbeat has grown old."""
        if not self.state.holds_without_worker:
            self._lost("reconnecting", "worker_down", now)

    def _stir(self, *, tries_refused: bool) -> None:
        self._tries_refused |= tries_refused
        self._is_asked = True

    @property
    def is_stirred(self) -> bool:
        """Whether an `Idle` is to end now."""
        return self._is_asked

    def _wait(self, wait: Wait, error: KalshiError, now: datetime) -> None:
        retry_at = now + timedelta(seconds=wait.seconds)
        self.step = Idle(wait.seconds)
        match error:
            case Maintenance(resumes_at=resumes_at):
                # The exchange's own estimate is worth more to people than when we look again,
                # unless it has passed.
                expected_at = max(resumes_at or retry_at, retry_at)
                self._lost("maintenance", "maintenance", now, wait.attempt, expected_at)
            case ClockSkew():
                self._lost("reconnecting", "clock_skew", now, wait.attempt, retry_at)
            case _:
                status: Status = "disconnected" if wait.is_open else "reconnecting"
                self._lost(status, self._reason(error), now, wait.attempt, retry_at)
        self._is_dropped = False

    def _reason(self, error: KalshiError) -> Reason:
        if isinstance(error, RateLimited):
            return "rate_limited"
        return "connection_lost" if self._is_dropped else "unreachable"

    def _rest(self, status: Status, reason: Reason, now: datetime) -> None:
        seconds = REFUSED_RETRY_SECONDS * (1 + self._jitter() / 4)
        self._lost(status, reason, now, retry_at=now + timedelta(seconds=seconds))
        self.step = Idle(seconds)

    def _lost(
        self,
        status: Status,
        reason: Reason,
        now: datetime,
        attempt: int = 0,
        retry_at: datetime | None = None,
    ) -> None:
        same = (self.state.status, self.state.reason) == (status, reason)
        since = self.state.since if same else now
        self.state = ConnectionState(status, since, attempt, retry_at, reason, self._live_until)
