"""Whatever becomes of a connection, the next step is right and people are told the truth."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kalshi.errors import (
    AnswerTooLarge,
    ClockSkew,
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    ServerFailed,
    TurnedAway,
    Unavailable,
)
from positions.connection import ConnectionState
from streaming.worker.backoff import waits
from streaming.worker.course import Connect, Course, Idle, Look, Maintenance, Refuse

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# Keys of the account by age.
OLD, NEW = 1, 2


def new_course(*, live_until: datetime | None = None, jitter: float = 0.0) -> Course:
    return Course(NOW, live_until, schedule=lambda: waits(lambda: 0.0), jitter=lambda: jitter)


def connecting(usable=(OLD,), refused=(), **about) -> Course:
    """A course whose first attempt is under way."""
    course = new_course(**about)
    course.found(usable, refused, NOW)
    return course


def live(usable=(OLD,)) -> Course:
    course = connecting(usable)
    course.went_live(NOW)
    return course


def resting(*, refused=(OLD,), jitter: float = 0.0) -> Course:
    """A course whose only keys are refused."""
    return connecting(usable=(), refused=refused, jitter=jitter)


def try_again(course: Course, now: datetime = NOW, *, usable=(OLD,), refused=()) -> None:
    """The wait is over; the next attempt begins."""
    course.woke(now)
    course.found(usable, refused, now)


def refuse(course: Course, credential_id: int, *, usable=(), refused=()) -> None:
    """The verdict is carried out; these keys are left."""
    assert course.step == Refuse(credential_id, "no")
    course.noted()
    course.found(usable, refused, NOW)


def told(course: Course) -> tuple[str, str | None]:
    return course.state.status, course.state.reason


# The beginning


def test_worker_begins_by_looking_for_keys_and_tells_what_the_last_one_knew():
    course = new_course(live_until=NOW - SECOND)

    assert course.step == Look()
    assert course.state == ConnectionState("connecting", NOW, live_until=NOW - SECOND)


def test_newest_usable_key_is_tried_first():
    assert connecting(usable=(NEW, OLD), refused=(3,)).step == Connect(NEW)


def test_account_without_keys_waits_until_it_has_one():
    course = connecting(usable=())

    assert course.step == Idle(None)
    assert told(course) == ("disconnected", "no_credential")
    assert course.state.retry_at is None

    course.keys_changed()
    assert course.is_stirred
    try_again(course)
    assert course.step == Connect(OLD)


def test_account_that_the_staff_set_aside_waits_until_it_is_taken_back():
    course = live()
    course.ended(NOW, NOW)
    course.gone()

    course.set_aside(NOW)
    assert course.step == Idle(None)
    assert told(course) == ("disconnected", "set_aside_by_staff")
    assert course.state.live_until == NOW
    assert course.state.retry_at is None
    course.stopped(NOW)
    assert told(course) == ("disconnected", "set_aside_by_staff")

    course.keys_changed()
    try_again(course)
    assert course.step == Connect(OLD)
    assert course.state.status == "connecting"


def test_key_stored_while_the_keys_were_read_is_not_overlooked():
    course = new_course()

    course.keys_changed()
    course.found((), (), NOW)

    assert course.step == Look()


# Backoff


def test_waits_double_and_people_are_told_that_it_is_down_from_the_fifth_failure():
    course = connecting()
    outcomes = []
    for _ in range(7):
        course.failed(OLD, Unavailable("no"), NOW)
        outcomes.append((course.step, course.state.status, course.state.attempt))
        try_again(course)

    assert outcomes == [
        (Idle(2), "reconnecting", 1),
        (Idle(4), "reconnecting", 2),
        (Idle(8), "reconnecting", 3),
        (Idle(16), "reconnecting", 4),
        (Idle(32), "disconnected", 5),
        (Idle(60), "disconnected", 6),
        (Idle(60), "disconnected", 7),
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(Unavailable("no"), "unreachable", id="no answer"),
        pytest.param(TurnedAway(403), "unreachable", id="turned away by a content network"),
        pytest.param(ServerFailed("503"), "exchange_failing", id="failing"),
        pytest.param(DecodeError("what"), "not_understood", id="not understood"),
        pytest.param(RequestRejected(404), "not_understood", id="rejected"),
        pytest.param(AnswerTooLarge(), "not_understood", id="without measure"),
        pytest.param(RateLimited(), "rate_limited", id="asked too much"),
        pytest.param(ClockSkew(), "clock_skew", id="clocks differ"),
        pytest.param(Maintenance(None), "maintenance", id="maintenance"),
    ],
)
def test_failure_is_told_by_its_reason_and_tried_again(error, reason):
    course = connecting()

    course.failed(OLD, error, NOW)

    assert course.state.reason == reason
    assert course.state.retry_at == NOW + 2 * SECOND
    try_again(course)
    assert course.step == Connect(OLD)


def test_content_network_that_turns_us_away_never_costs_the_key():
    course = connecting()
    for _ in range(50):
        course.failed(OLD, TurnedAway(401), NOW)
        assert told(course)[1] == "unreachable"
        try_again(course)

    course.went_live(NOW)

    assert told(course) == ("live", None)


def test_wrong_clock_is_never_called_down():
    course = connecting()
    for _ in range(6):
        course.failed(OLD, ClockSkew(), NOW)
        try_again(course)

    assert told(course) == ("reconnecting", "clock_skew")


def test_next_attempt_is_told_until_it_is_under_way():
    course = connecting()

    course.failed(OLD, Unavailable("no"), NOW)
    waiting = course.state.retry_at
    course.woke(NOW + 2 * SECOND)

    assert waiting == NOW + 2 * SECOND
    assert course.state.retry_at is None
    assert told(course) == ("reconnecting", "unreachable")


def test_state_has_held_since_its_first_failure():
    course = connecting()

    course.failed(OLD, Unavailable("no"), NOW)
    try_again(course)
    course.failed(OLD, Unavailable("no"), NOW + 5 * SECOND)

    assert course.state.since == NOW


@pytest.mark.parametrize(
    ("seconds", "attempt"),
    [pytest.param(30, 3, id="not yet steady"), pytest.param(31, 1, id="steady")],
)
def test_failures_are_counted_on_until_a_connection_was_steady(seconds, attempt):
    course = connecting()
    for _ in range(2):
        course.failed(OLD, Unavailable("no"), NOW)
        try_again(course)
    course.went_live(NOW)
    later = NOW + seconds * SECOND

    course.ended(later, later)
    course.failed(OLD, Unavailable("no"), later)

    assert course.state.attempt == attempt
    assert course.step == Idle(2**attempt)


def test_connection_that_drops_again_and_again_is_not_down_before_an_attempt_failed():
    course = connecting()
    for _ in range(7):
        course.went_live(NOW)
        course.ended(NOW, NOW)
        course.failed(OLD, Unavailable("no"), NOW)
        assert told(course) == ("reconnecting", "connection_lost")
        try_again(course)

    course.failed(OLD, Unavailable("no"), NOW)

    assert told(course) == ("disconnected", "unreachable")
    assert course.state.attempt == 8


@pytest.mark.parametrize(
    ("refused", "before"),
    [((), "no_credential"), ((OLD,), "key_refused")],
    ids=["there was none", "the others are refused"],
)
def test_new_key_is_told_as_connecting_until_it_was_tried(refused, before):
    course = connecting(usable=(), refused=refused)
    assert course.state.reason == before
    later = NOW + SECOND

    course.keys_changed()
    course.woke(later)
    course.found((NEW,), refused, later)

    assert course.step == Connect(NEW)
    assert course.state == ConnectionState("connecting", later)


def test_refused_key_is_told_as_refused_while_it_is_tried_again():
    course = resting()

    try_again(course, usable=(), refused=(OLD,))

    assert course.step == Connect(OLD)
    assert told(course) == ("unauthorized", "key_refused")


def test_changed_keys_do_not_begin_the_count_anew():
    course = connecting()
    for _ in range(5):
        course.failed(OLD, Unavailable("no"), NOW)
        course.keys_changed()
        try_again(course)

    course.failed(OLD, Unavailable("no"), NOW)

    assert course.step == Idle(60)
    assert told(course) == ("disconnected", "unreachable")


# Maintenance


def test_maintenance_is_told_with_the_exchanges_own_estimate_but_looked_at_sooner():
    course = connecting()
    resumes_at = NOW + timedelta(hours=2)

    course.failed(OLD, Maintenance(resumes_at), NOW)
    waiting = course.state
    course.woke(NOW + 2 * SECOND)

    assert told(course) == ("maintenance", "maintenance")
    assert waiting.retry_at == resumes_at
    assert course.state == waiting


def test_estimate_outlives_a_try_that_somebody_asked_for():
    course = connecting()
    resumes_at = NOW + timedelta(hours=2)

    course.asked()
    course.failed(OLD, Maintenance(resumes_at), NOW)

    assert course.step == Look()
    assert course.state.retry_at == resumes_at


@pytest.mark.parametrize(
    "resumes_at",
    [
        pytest.param(None, id="no estimate"),
        pytest.param(NOW - SECOND, id="an estimate that has passed"),
        pytest.param(NOW + SECOND, id="an estimate that passes before we look"),
    ],
)
def test_maintenance_without_a_good_estimate_is_told_with_our_next_look(resumes_at):
    course = connecting()

    course.failed(OLD, Maintenance(resumes_at), NOW)
    waiting = course.state.retry_at
    course.woke(NOW + 2 * SECOND)

    assert waiting == NOW + 2 * SECOND
    assert course.state.retry_at is None


def test_estimate_that_has_passed_is_told_no_more():
    course = connecting()
    for _ in range(6):
        course.failed(OLD, Maintenance(NOW + 50 * SECOND), NOW)
        course.woke(NOW)
        course.found((OLD,), (), NOW)
    course.failed(OLD, Maintenance(NOW + 90 * SECOND), NOW)

    course.woke(NOW + 91 * SECOND)

    assert course.state.retry_at is None


def test_estimate_is_forgotten_with_the_maintenance():
    course = connecting()
    course.failed(OLD, Maintenance(NOW + timedelta(hours=2)), NOW)
    try_again(course)

    course.failed(OLD, Unavailable("no"), NOW)
    course.woke(NOW)

    assert told(course) == ("reconnecting", "unreachable")
    assert course.state.retry_at is None


# The life of a connection


def test_connection_that_ends_is_told_with_the_exchanges_last_sign_of_life():
    course = live()

    course.ended(NOW + 8 * SECOND, NOW + 9 * SECOND)

    assert course.state == ConnectionState(
        "reconnecting",
        since=NOW + 9 * SECOND,
        reason="connection_lost",
        live_until=NOW + 8 * SECOND,
    )


def test_connection_that_never_was_live_does_not_end():
    course = connecting()
    before = course.state

    course.ended(NOW, NOW)

    assert course.state == before


def test_key_that_is_gone_gives_way_to_the_next():
    course = live()

    course.ended(NOW, NOW)
    course.gone()
    course.found((NEW,), (), NOW)

    assert course.step == Connect(NEW)


def test_worker_that_stops_says_so():
    course = live()

    course.ended(NOW, NOW)
    course.stopped(NOW)

    assert told(course) == ("reconnecting", "worker_down")
    assert course.state.live_until == NOW


@pytest.mark.parametrize(
    ("refused", "reason"), [((OLD,), "key_refused"), ((), "no_credential")], ids=["refused", "none"]
)
def test_what_holds_without_a_worker_outlives_it(refused, reason):
    course = connecting(usable=(), refused=refused)

    course.stopped(NOW)

    assert course.state.reason == reason


# Refused keys


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(KeyRefused("no"), "key_refused", id="401"),
        pytest.param(ScopeRefused("no"), "key_scope", id="403"),
    ],
)
def test_single_verdict_is_asked_for_once_more_and_two_are_believed(error, reason):
    course = live()

    course.ended(NOW, NOW)
    course.failed(OLD, error, NOW)
    assert course.step == Idle(1)
    assert course.state.status == "reconnecting"

    try_again(course)
    course.failed(OLD, error, NOW)
    refuse(course, OLD, refused=(OLD,))

    assert told(course) == ("unauthorized", reason)
    assert course.step == Idle(300)
    assert course.state.retry_at == NOW + 300 * SECOND


def test_verdict_that_was_a_mistake_is_forgotten_when_the_key_works():
    course = connecting()
    course.failed(OLD, KeyRefused("no"), NOW)
    try_again(course)
    course.went_live(NOW)
    course.ended(NOW, NOW)

    course.failed(OLD, KeyRefused("no"), NOW)

    assert course.step == Idle(1)


def test_verdicts_with_something_else_in_between_are_not_two_in_a_row():
    course = connecting()
    course.failed(OLD, KeyRefused("no"), NOW)
    try_again(course)
    course.failed(OLD, Unavailable("no"), NOW)
    try_again(course)

    course.failed(OLD, KeyRefused("no"), NOW)

    assert course.step == Idle(1)


def test_verdicts_on_two_keys_are_not_two_in_a_row():
    course = connecting()
    course.failed(OLD, KeyRefused("no"), NOW)
    try_again(course, usable=(NEW, OLD))

    course.failed(NEW, KeyRefused("no"), NOW)

    assert course.step == Idle(1)


def test_next_key_is_tried_when_one_is_refused():
    course = connecting(usable=(NEW, OLD))
    course.failed(NEW, KeyRefused("no"), NOW)
    try_again(course, usable=(NEW, OLD))
    course.failed(NEW, KeyRefused("no"), NOW)

    refuse(course, NEW, usable=(OLD,), refused=(NEW,))

    assert course.step == Connect(OLD)


@pytest.mark.parametrize(
    ("jitter", "seconds"), [(0.0, 300), (1.0, 375)], ids=["no jitter", "all of it"]
)
def test_refused_key_is_tried_again_every_few_minutes(jitter, seconds):
    course = resting(jitter=jitter)

    assert course.step == Idle(seconds)
    later = course.state.retry_at
    try_again(course, later, usable=(), refused=(OLD,))
    assert course.step == Connect(OLD)
    assert course.state.retry_at is None
    assert course.state.status == "unauthorized"
    course.failed(OLD, KeyRefused("no"), later)
    refuse(course, OLD, refused=(OLD,))

    assert course.step == Idle(seconds)
    assert told(course) == ("unauthorized", "key_refused")
    assert course.state.since == NOW


def test_every_refused_key_is_tried_once_in_its_turn():
    course = resting(refused=(NEW, OLD))

    try_again(course, usable=(), refused=(NEW, OLD))
    assert course.step == Connect(NEW)
    course.failed(NEW, KeyRefused("no"), NOW)
    refuse(course, NEW, refused=(NEW, OLD))
    assert course.step == Connect(OLD)
    course.failed(OLD, KeyRefused("no"), NOW)
    refuse(course, OLD, refused=(NEW, OLD))

    assert course.step == Idle(300)


def test_refused_key_whose_try_failed_otherwise_is_tried_again_when_it_was_told():
    course = resting()
    try_again(course, usable=(), refused=(OLD,))

    course.failed(OLD, Unavailable("no"), NOW)
    try_again(course, usable=(), refused=(OLD,))

    assert course.step == Connect(OLD)


def test_refused_key_that_works_again_needs_two_verdicts_again():
    course = resting()
    try_again(course, usable=(), refused=(OLD,))
    course.went_live(NOW)
    course.ended(NOW, NOW)

    course.failed(OLD, KeyRefused("no"), NOW)

    assert course.step == Idle(1)


def test_refused_key_is_tried_at_once_when_somebody_asks():
    course = resting()

    course.asked()
    assert course.is_stirred
    try_again(course, usable=(), refused=(OLD,))

    assert course.step == Connect(OLD)


def test_note_of_a_refusal_is_no_reason_to_try_the_key_again():
    course = resting()

    # What the note announces comes back to us.
    course.keys_changed()
    try_again(course, usable=(), refused=(OLD,))

    assert course.step == Idle(300)
    assert told(course) == ("unauthorized", "key_refused")


def test_new_key_is_tried_at_once_and_as_carefully_as_any():
    course = resting()

    course.keys_changed()
    try_again(course, usable=(NEW,), refused=(OLD,))
    assert course.step == Connect(NEW)
    course.failed(NEW, KeyRefused("no"), NOW)

    assert course.step == Idle(1)


def test_verdict_on_a_key_that_may_have_been_replaced_meanwhile_is_not_noted():
    course = resting()
    try_again(course, usable=(), refused=(OLD,))

    # Stored anew, under its old name, while the attempt with what it was hung.
    course.keys_changed()
    course.failed(OLD, KeyRefused("no"), NOW)
    assert course.step == Look()
    course.found((OLD,), (), NOW)

    assert course.step == Connect(OLD)


# Keys that can't sign


@pytest.mark.parametrize("reason", ["credential_unreadable", "environment_missing"])
def test_key_that_cannot_sign_is_told_by_its_reason_and_tried_again_now_and_then(reason):
    course = connecting()

    course.unusable(OLD, reason)
    course.found((OLD,), (), NOW)
    assert told(course) == ("disconnected", reason)
    assert course.step == Idle(300)
    assert course.state.retry_at == NOW + 300 * SECOND
    try_again(course)

    assert course.step == Connect(OLD)


def test_other_usable_keys_are_tried_before_one_that_cannot_sign_is_told():
    course = connecting(usable=(NEW, OLD))

    course.unusable(NEW, "credential_unreadable")
    course.found((NEW, OLD), (), NOW)

    assert course.step == Connect(OLD)
    assert course.state.status == "connecting"


def test_key_that_cannot_sign_is_tried_when_keys_change():
    course = connecting()
    course.unusable(OLD, "credential_unreadable")
    course.found((OLD,), (), NOW)

    course.keys_changed()
    try_again(course)

    assert course.step == Connect(OLD)


def test_key_that_was_set_right_while_it_was_opened_is_opened_again():
    course = connecting()

    course.keys_changed()
    course.unusable(OLD, "credential_unreadable")
    course.found((OLD,), (), NOW)

    assert course.step == Connect(OLD)


def test_refused_key_is_tried_although_a_newer_one_cannot_sign():
    course = connecting(usable=(NEW,), refused=(OLD,))
    course.unusable(NEW, "credential_unreadable")
    course.found((NEW,), (OLD,), NOW)

    try_again(course, usable=(NEW,), refused=(OLD,))
    course.unusable(NEW, "credential_unreadable")
    course.found((NEW,), (OLD,), NOW)

    assert course.step == Connect(OLD)


# What is asked for in the middle of a step


@pytest.mark.parametrize("ask", [Course.asked, Course.keys_changed], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize(
    "error",
    [
        Unavailable("no"),
        RateLimited(),
        ClockSkew(),
        Maintenance(None),
        KeyRefused("no"),
        ScopeRefused("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_was_asked_for_during_an_attempt_comes_right_after_it(ask, error):
    course = connecting()

    ask(course)
    course.failed(OLD, error, NOW)

    assert course.step == Look()
    assert course.state.retry_at is None
    course.found((NEW, OLD), (), NOW)
    assert course.step == Connect(NEW)
    course.failed(NEW, Unavailable("no"), NOW)
    assert isinstance(course.step, Idle)


def test_refresh_during_an_attempt_with_a_refused_key_tries_it_once_more():
    course = resting()
    try_again(course, usable=(), refused=(OLD,))

    course.asked()
    course.failed(OLD, KeyRefused("no"), NOW)
    course.found((), (OLD,), NOW)
    assert course.step == Connect(OLD)
    course.failed(OLD, KeyRefused("no"), NOW)
    refuse(course, OLD, refused=(OLD,))

    assert course.step == Idle(300)


def test_refresh_while_a_refusal_is_noted_tries_the_key_once_more():
    course = resting()
    try_again(course, usable=(), refused=(OLD,))
    course.failed(OLD, KeyRefused("no"), NOW)

    course.asked()
    refuse(course, OLD, refused=(OLD,))

    assert course.step == Connect(OLD)


def test_what_a_live_connection_was_asked_for_is_no_reason_to_hurry_when_it_ends():
    course = live()
    course.keys_changed()
    course.asked()

    course.ended(NOW, NOW)
    course.failed(OLD, Unavailable("no"), NOW)

    assert course.step == Idle(2)


def test_who_asks_again_and_again_has_an_attempt_every_two_seconds():
    course = connecting()
    attempts = []
    for tenth in range(100):
        now = NOW + tenth * SECOND / 10
        course.asked()
        if course.step == Connect(OLD):
            course.failed(OLD, Unavailable("no"), now)
        elif isinstance(course.step, Idle):
            course.woke(now)
        if course.step == Look():
            attempts.append(tenth)
            course.found((OLD,), (), now)

    assert attempts == [0, 20, 40, 60, 80]


def test_who_asks_too_soon_waits_for_the_rest():
    course = connecting()
    course.asked()
    course.failed(OLD, Unavailable("no"), NOW)
    course.found((OLD,), (), NOW)

    course.asked()
    course.failed(OLD, Unavailable("no"), NOW + SECOND / 2)
    assert course.step == Idle(1.5)
    assert not course.is_stirred
    course.woke(NOW + 2 * SECOND)

    assert course.step == Look()


def test_new_key_is_tried_at_once_whoever_has_just_asked():
    course = connecting()
    course.asked()
    course.failed(OLD, Unavailable("no"), NOW)
    course.found((OLD,), (), NOW)
    course.asked()
    course.failed(OLD, Unavailable("no"), NOW)

    course.keys_changed()
    assert course.is_stirred
    course.woke(NOW)

    assert course.step == Look()


# Laws

errors = st.one_of(
    st.builds(Unavailable),
    st.builds(RateLimited),
    st.builds(ClockSkew),
    st.just(TurnedAway(403)),
    st.just(KeyRefused("no")),
    st.just(ScopeRefused("no")),
    st.builds(Maintenance, st.none() | st.integers(-60, 7200).map(lambda s: NOW + s * SECOND)),
)
keys = st.lists(st.integers(1, 3), unique=True).map(tuple)


@dataclass
class Keys:
    """What the database holds."""

    usable: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


class AnyCourse(RuleBasedStateMachine):
    """A shell that carries out every step, while anything happens at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.keys = Keys()
        self.is_live = False
        self.failures = 0
        self.course = new_course(jitter=0.5)

    def is_at(self, *kinds: type) -> bool:
        return isinstance(self.course.step, kinds)

    @rule(seconds=st.floats(0, 400))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(usable=keys, others=keys)
    def keys_are_stored(self, usable, others):
        self.keys = Keys(usable, tuple(each for each in others if each not in usable))
        self.course.keys_changed()

    @rule()
    def somebody_asks(self):
        self.course.asked()

    @precondition(lambda self: self.is_at(Look))
    @rule()
    def looks(self):
        self.course.found(self.keys.usable, self.keys.refused, self.now)

    @precondition(lambda self: self.is_at(Connect) and not self.is_live)
    @rule()
    def goes_live(self):
        self.course.went_live(self.now)
        self.is_live = True

    @precondition(lambda self: self.is_at(Connect))
    @rule(error=errors)
    def fails(self, error):
        self.course.ended(self.now, self.now)
        self.is_live = False
        self.course.failed(self.course.step.credential_id, error, self.now)

    @precondition(lambda self: self.is_at(Connect) and not self.is_live)
    @rule(reason=st.sampled_from(["credential_unreadable", "environment_missing"]))
    def cannot_sign(self, reason):
        self.course.unusable(self.course.step.credential_id, reason)

    @precondition(lambda self: self.is_at(Connect))
    @rule()
    def key_is_gone(self):
        self.course.ended(self.now, self.now)
        self.is_live = False
        self.course.gone()

    @precondition(lambda self: self.is_at(Refuse))
    @rule()
    def notes(self):
        refused = self.course.step.credential_id
        self.keys = Keys(
            tuple(each for each in self.keys.usable if each != refused),
            (refused, *(each for each in self.keys.refused if each != refused)),
        )
        self.course.noted()

    @precondition(lambda self: self.is_at(Idle))
    @rule()
    def wakes(self):
        step = self.course.step
        if not self.course.is_stirred:
            self.now += timedelta(seconds=step.seconds or 0)
        self.course.woke(self.now)

    @invariant()
    def is_live_between_going_live_and_its_end(self):
        assert (self.course.state.status == "live") == self.is_live

    @invariant()
    def why_it_is_not_live_is_told(self):
        state = self.course.state
        assert (state.reason is None) == (state.status in ("live", "connecting"))

    @invariant()
    def wait_has_an_end_unless_there_is_no_key(self):
        if self.is_at(Idle) and self.course.step.seconds is None:
            assert self.course.state.reason == "no_credential"
        elif self.is_at(Idle):
            assert 0 < self.course.step.seconds <= 375

    @invariant()
    def next_attempt_is_told_only_while_none_is_under_way(self):
        state = self.course.state
        if not self.is_at(Idle) and state.status != "maintenance":
            assert state.retry_at is None

    def teardown(self):
        # Left alone, it comes to a wait within a few steps: it never goes round and round.
        for _ in range(40):
            if self.is_at(Idle) and not self.course.is_stirred:
                break
            if self.is_at(Look):
                self.looks()
            elif self.is_at(Refuse):
                self.notes()
            elif self.is_at(Idle):
                self.wakes()
            else:
                self.fails(KeyRefused("no"))
        assert self.is_at(Idle)


def test_course_is_consistent_whatever_happens():
    # Its invariants are what is asserted.
    run_state_machine_as_test(AnyCourse)


@given(st.lists(errors, min_size=1, max_size=20))
def test_any_series_of_failures_leads_to_another_attempt(series):
    course = connecting()
    for error in series:
        course.failed(OLD, error, NOW)
        if isinstance(course.step, Refuse):
            refuse(course, OLD, refused=(OLD,))
            try_again(course, usable=(), refused=(OLD,))
        else:
            try_again(course)

        assert course.step == Connect(OLD)


def test_failures_without_end_overflow_nothing():
    course = connecting()
    for _ in range(100_000):
        course.failed(OLD, Unavailable("no"), NOW)
        try_again(course)

    course.failed(OLD, Unavailable("no"), NOW)

    assert course.step == Idle(60)
    assert course.state.attempt == 100_001
