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

from kalshi.errors import (
    AnswerTooLarge,
    ClockSkew,
    DecodeError,
    KalshiError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    ServerFailed,
)
from positions.connection import ConnectionState, Reason, Status
from streaming.worker.backoff import Wait

# What held for so long was good: its end is not the end of a series.
STEADY = timedelta(seconds=30)
# A key is refused for good by two answers in a row; the second is asked for after this long.
CONFIRM_SECONDS = 1.0
# A refused key, or one that can't be used, may have been set right: it is tried this often.
REFUSED_RETRY_SECONDS = 300.0
# Between attempts that somebody asked for, however often they ask.
ASKED_SECONDS = 2.0


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
        reason: why it was not live then.
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
        reason: Reason | None = None,
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
        # The exchange's estimate, while it is in maintenance.
        self._resumes_at: datetime | None = None
        # Keys that can't sign, and why.
        self._unusable: dict[int, Reason] = {}
        # How the exchange refused the keys that are noted as refused.
        self._refusal: Reason = "key_scope" if reason == "key_scope" else "key_refused"
        # The key that the exchange refused once and has yet to refuse again.
        self._doubted: int | None = None
        # Keys that are noted as refused; whether they are to be tried all the same, each of them
        # until the exchange has judged it once more.
        self._refused: frozenset[int] = frozenset()
        self._tries_refused = False
        self._judged: set[int] = set()
        # Somebody asked, or the keys changed, since the last look at them.
        self._is_asked = False
        # Whether that is of keys that changed, which is not to be waited for; when an attempt was
        # last made because somebody asked, and whether the next one has to wait for that.
        self._has_new_keys = self._is_too_soon = False
        self._asked_at: datetime | None = None

    # What came of a step

    def found(self, usable: Sequence[int], refused: Sequence[int], now: datetime) -> None:
        """These are the account's keys, newest first, by what the exchange thought of them."""
        self._refused = frozenset(refused)
        unjudged = [each for each in refused if self._tries_refused and each not in self._judged]
        for credential_id in [*usable, *unjudged]:
            if credential_id not in self._unusable:
                if credential_id in usable and self.state.holds_without_worker:
                    # What is said is said of the keys that there were; this one is yet untried.
                    self.state = ConnectionState("connecting", now, live_until=self._live_until)
                self.step = Connect(credential_id)
                return
        self._forget_refused()
        reasons = [self._unusable[each] for each in usable if each in self._unusable]
        if reasons:
            self._rest("disconnected", reasons[0], now)
        elif refused:
            self._rest("unauthorized", self._refusal, now)
        else:
            self._lost("disconnected", "no_credential", now)
            self._idle(None, now)

    def set_aside(self, now: datetime) -> None:
        """The staff have set the account aside: its keys are not to be used."""
        self._forget_refused()
        self._lost("disconnected", "set_aside_by_staff", now)
        self._idle(None, now)

    def unusable(self, credential_id: int, reason: Reason) -> None:
        """This key can't sign."""
        if not self._is_asked:
            self._unusable[credential_id] = reason
        # Else it may be another key by now.
        self._look()

    def failed(self, credential_id: int, error: KalshiError, now: datetime) -> None:
        """The attempt with this key, or its connection, ended by this error."""
        match error:
            case KeyRefused() | ScopeRefused():
                self._judge(credential_id, error, now)
            case _:
                self._doubted = None
                self._wait(next(self._schedule), error, now)

    def gone(self) -> None:
        """The key that was in use is no more the account's."""
        self._look()

    def noted(self) -> None:
        """The refusal was noted."""
        self._look()

    def woke(self, now: datetime) -> None:
        """An `Idle` is over, by its time or because of `asked` or `keys_changed`."""
        if self._is_asked:
            self._grant(now)
            return
        # By its time. Keys that changed are no reason to try refused ones: what was set right is
        # refused no more, and our own note of a refusal is such a change.
        self._tries_refused = True
        self._try_again(now)

    # What happens by itself

    def went_live(self, now: datetime) -> None:
        """The connection shows the exchange's state and follows it."""
        self._doubted = self._resumes_at = None
        # What works is not refused, whether that has been noted or not.
        self._refused = frozenset()
        self._forget_refused()
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
        # What was asked for was had.
        self._is_asked = False
        self._lost("reconnecting", "connection_lost", now)

    def asked(self) -> None:
        """Somebody wants a try now, with a refused key too."""
        self._is_asked = self._tries_refused = True
        self._judged.clear()

    def keys_changed(self) -> None:
        """The account's keys are not what they were."""
        # Attempts are counted on: a new key makes no exchange reachable, and this is called as well
        # when changes may only have been missed.
        self._unusable.clear()
        self._doubted = None
        self._is_asked = self._has_new_keys = True

    def stopped(self, now: datetime) -> None:
        """The worker stops: people need not wait until its heartbeat has grown old."""
        if not self.state.holds_without_worker:
            self._lost("reconnecting", "worker_down", now)

    def handed_over(self, now: datetime) -> None:
        """Another worker goes on with the account in a moment."""
        if not self.state.holds_without_worker:
            self._lost("connecting", None, now)

    @property
    def is_stirred(self) -> bool:
        """Whether an `Idle` is to end now."""
        return self._is_asked and (self._has_new_keys or not self._is_too_soon)

    def _look(self) -> None:
        # Until the next attempt has an outcome nothing else is known than what the exchange said.
        self.state = replace(self.state, retry_at=self._resumes_at)
        # Kept from here on, not from when the keys have been read: the read may be older.
        self._is_asked = self._has_new_keys = self._is_too_soon = False
        self.step = Look()

    def _try_again(self, now: datetime) -> None:
        self._unusable.clear()
        if self._resumes_at is not None and self._resumes_at <= now:
            self._resumes_at = None
        self._look()

    def _grant(self, now: datetime) -> None:
        """Try because somebody asked, or soon if that was just done."""
        rest = timedelta()
        if self._asked_at is not None and not self._has_new_keys:
            rest = min(self._asked_at - now, timedelta()) + timedelta(seconds=ASKED_SECONDS)
        self._is_too_soon = rest > timedelta()
        if self._is_too_soon:
            self.step = Idle(rest.total_seconds())
        else:
            self._asked_at = now
            self._try_again(now)

    def _idle(self, seconds: float | None, now: datetime) -> None:
        if self._is_asked:
            # Whoever asked while a step was under way wants another, not a wait.
            self._grant(now)
        else:
            self.step = Idle(seconds)

    def _judge(self, credential_id: int, error: KeyRefused | ScopeRefused, now: datetime) -> None:
        self._is_dropped = False
        if self._is_asked:
            # Another key may be stored by now, so this verdict may be of one that is no more.
            self._grant(now)
            return
        self._refusal = "key_scope" if isinstance(error, ScopeRefused) else "key_refused"
        if credential_id == self._doubted or credential_id in self._refused:
            self._doubted = None
            self._judged.add(credential_id)
            self.step = Refuse(credential_id, str(error))
        else:
            # One answer may be a mistake on the way; two are a verdict.
            self._doubted = credential_id
            self._idle(CONFIRM_SECONDS, now)

    def _forget_refused(self) -> None:
        self._tries_refused = False
        self._judged.clear()

    def _wait(self, wait: Wait, error: KalshiError, now: datetime) -> None:
        retry_at = now + timedelta(seconds=wait.seconds)
        match error:
            case Maintenance(resumes_at=resumes_at):
                # The exchange's own estimate is worth more to people than when we look again,
                # unless it has passed.
                expected_at = max(resumes_at or retry_at, retry_at)
                self._lost("maintenance", "maintenance", now, wait.attempt, expected_at)
                self._resumes_at = resumes_at if resumes_at == expected_at else None
            case ClockSkew():
                self._lost("reconnecting", "clock_skew", now, wait.attempt, retry_at)
            case _:
                # That a connection dropped says nothing of the attempt that is yet to be made.
                is_down = wait.is_open and not self._is_dropped
                status: Status = "disconnected" if is_down else "reconnecting"
                self._lost(status, self._reason(error), now, wait.attempt, retry_at)
        self._is_dropped = False
        self._idle(wait.seconds, now)

    def _reason(self, error: KalshiError) -> Reason:
        match error:
            case RateLimited():
                return "rate_limited"
            case _ if self._is_dropped:
                return "connection_lost"
            case ServerFailed():
                return "exchange_failing"
            case DecodeError() | RequestRejected() | AnswerTooLarge():
                return "not_understood"
            case _:
                return "unreachable"

    def _rest(self, status: Status, reason: Reason, now: datetime) -> None:
        seconds = REFUSED_RETRY_SECONDS * (1 + self._jitter() / 4)
        self._lost(status, reason, now, retry_at=now + timedelta(seconds=seconds))
        self._idle(seconds, now)

    def _lost(
        self,
        status: Status,
        reason: Reason | None,
        now: datetime,
        attempt: int = 0,
        retry_at: datetime | None = None,
    ) -> None:
        same = (self.state.status, self.state.reason) == (status, reason)
        since = self.state.since if same else now
        self._resumes_at = None
        self.state = ConnectionState(status, since, attempt, retry_at, reason, self._live_until)
