"""REST is asked what is wanted when it is wanted, neither late nor again and again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.worker.agenda import Agenda, ReadBalance, ReadMarkets, Reconcile, Task

A, B = "KX-A", "KX-B"
START = 1000.0


def idle_agenda(*, now: float = START) -> Agenda:
    """An agenda with its first reconciliation done, confirmed."""
    agenda = Agenda(now)
    assert agenda.due(now) == [Reconcile()]
    assert agenda.may_read_balance(now)
    agenda.reconciled(now, behind=None)
    return agenda


def carried_out(agenda: Agenda, now: float) -> list[Task]:
    """What is due, and done at once with success; markets tell nothing."""
    tasks = agenda.due(now)
    if Reconcile() in tasks or ReadBalance() in tasks:
        agenda.may_read_balance(now)
    return tasks


def times_until(
    agenda: Agenda, end: float, wanted: type[Task], *, since: float = START
) -> list[float]:
    """When such a task is due, in seconds from the start, if nothing else happens."""
    now, times = since, []
    while agenda.next_due <= end:
        now = max(now, agenda.next_due)
        if any(isinstance(task, wanted) for task in carried_out(agenda, now)):
            times.append(round(now - START, 6))
    return times


def markets(*tickers: str) -> ReadMarkets:
    return ReadMarkets(frozenset(tickers))


# Reconciliations


def test_account_is_read_at_first_and_then_every_55_seconds():
    agenda = Agenda(START)

    assert times_until(agenda, START + 120, Reconcile) == [0, 55, 110]


def test_refresh_is_carried_out_at_once():
    agenda = idle_agenda()

    agenda.reconcile_soon()

    assert agenda.next_due <= START + 10
    assert agenda.due(START + 10) == [Reconcile()]


def test_refreshes_within_two_seconds_are_one():
    agenda = idle_agenda()
    for _ in range(5):
        agenda.reconcile_soon()

    assert agenda.due(START + 1.9) == []
    assert times_until(agenda, START + 50, Reconcile) == [2]


def test_refresh_during_a_reconciliation_is_not_taken_for_carried_out():
    agenda = Agenda(START)
    agenda.due(START)

    agenda.reconcile_soon()
    agenda.reconciled(START + 4, behind=None)

    assert agenda.due(START + 4) == [Reconcile()]


def test_position_that_only_rest_can_show_is_read_at_once():
    agenda = idle_agenda()

    agenda.unshown(START + 0.1, is_flat=False)

    assert agenda.due(START + 0.1) == [Reconcile()]


def test_position_that_is_gone_untraded_waits_for_its_fill():
    agenda = idle_agenda()

    agenda.unshown(START + 10, is_flat=True)

    assert agenda.due(START + 10) == []
    assert not agenda.is_time_for_fills(START + 11.9)
    assert agenda.is_time_for_fills(START + 12)


def test_failed_reconciliation_is_repeated_after_five_seconds():
    agenda = Agenda(START)
    agenda.due(START)

    agenda.reconciliation_failed(START + 1)

    assert times_until(agenda, START + 50, Reconcile) == [6]


def times_behind(agenda: Agenda, count: int, behind: float) -> list[float]:
    """The seconds between reconciliations in each of which REST is so many seconds behind."""
    times = [START]
    for _ in range(count):
        agenda.reconciled(times[-1], behind=behind)
        times.append(agenda.next_due)
        assert agenda.due(times[-1]) == [Reconcile()]
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize(
    ("behind", "seconds"),
    [
        (0.5, [2, 4, 8, 16, 32, 55]),
        (8.5, [8.5, 8.5, 8.5, 16, 32, 55]),
        (600.0, [55, 55, 55, 55, 55, 55]),
    ],
)
def test_rest_that_is_behind_is_read_when_it_should_have_caught_up_then_ever_later(behind, seconds):
    assert times_behind(idle_agenda(), 6, behind) == seconds


def test_rest_that_has_caught_up_begins_the_repetitions_anew():
    agenda = idle_agenda()
    times_behind(agenda, 3, 0.5)

    agenda.reconciled(START, behind=None)

    assert times_behind(agenda, 2, 0.5) == [2, 4]


def test_stream_that_begins_anew_is_read_after_soon_however_long_rest_was_behind():
    agenda = idle_agenda()
    times_behind(agenda, 6, 0.5)
    now = agenda.next_due - 30

    agenda.followed(now)

    assert agenda.next_due == now + 2
    assert agenda.due(now + 2) == [Reconcile()]
    agenda.reconciled(now + 2, behind=0.5)
    assert agenda.next_due == now + 4


def test_settlement_is_looked_for_soon_and_once_more_five_seconds_later():
    agenda = idle_agenda()

    agenda.settled(START + 10)

    assert times_until(agenda, START + 60, Reconcile, since=START + 10) == [10, 15]


def test_settlement_just_after_a_reconciliation_waits_for_the_next():
    agenda = idle_agenda()

    agenda.settled(START + 0.5)

    assert times_until(agenda, START + 50, Reconcile) == [2, 5.5]


def test_settlement_is_looked_for_once_more_after_the_last_of_several():
    agenda = idle_agenda()

    agenda.settled(START + 10)
    assert agenda.due(START + 10) == [Reconcile()]
    agenda.settled(START + 13)

    assert times_until(agenda, START + 50, Reconcile, since=START + 13) == [13, 18]


# Garbled frames


def reconciled_while_garbled(agenda: Agenda, start: float, seconds: float) -> list[float]:
    """When REST is read while a garbled frame comes ten times a second."""
    times = []
    for tenth in range(int(seconds * 10)):
        now = start + tenth / 10
        agenda.garbled(now)
        if Reconcile() in agenda.due(now):
            times.append(now)
    return times


def test_garbled_frames_lead_to_ever_fewer_reconciliations_while_they_come():
    times = reconciled_while_garbled(idle_agenda(), START, 240)

    assert [time - START for time in times] == [2, 6, 14, 30, 62, 117, 172, 227]


def test_garbled_frame_after_a_quiet_time_counts_as_the_first():
    agenda = idle_agenda()
    reconciled_while_garbled(agenda, START, 240)
    times_until(agenda, START + 400, Reconcile)
    last = agenda.next_due - 55

    # Long quiet, but for the reconciliations of every 55 seconds.
    agenda.garbled(last + 0.1)

    assert agenda.next_due == pytest.approx(last + 2)


def test_short_silence_is_not_a_quiet_time():
    agenda = idle_agenda()
    reconciled_while_garbled(agenda, START, 240)
    times_until(agenda, START + 300, Reconcile)
    last = agenda.next_due - 55

    agenda.garbled(last + 0.1)

    assert agenda.next_due == pytest.approx(last + 55)


# Fills


@pytest.mark.parametrize(
    ("lost", "tasks"),
    [
        pytest.param(True, [Reconcile()], id="lost"),
        pytest.param(False, [], id="its position came"),
    ],
)
def test_fill_whose_position_does_not_come_leads_to_a_reconciliation_after_two_seconds(lost, tasks):
    agenda = idle_agenda()

    agenda.filled(START + 5)
    early = agenda.is_time_for_fills(START + 6.9)
    in_time = agenda.is_time_for_fills(START + 7)
    agenda.fills_checked(START + 7, lost=lost, waiting=False)

    assert (early, in_time) == (False, True)
    assert agenda.due(START + 7) == tasks


def test_later_fill_has_a_patience_of_its_own():
    agenda = idle_agenda()
    agenda.filled(START)
    agenda.filled(START + 1.5)

    agenda.fills_checked(START + 2, lost=False, waiting=True)

    assert not agenda.is_time_for_fills(START + 3.4)
    assert agenda.is_time_for_fills(START + 3.5)


def test_fill_that_stays_lost_is_read_for_ever_less_often():
    agenda = idle_agenda()
    agenda.filled(START)
    times = []
    for _ in range(7):
        times.append(agenda.next_due)
        assert agenda.is_time_for_fills(times[-1])
        agenda.fills_checked(times[-1], lost=True, waiting=True)
        assert agenda.due(times[-1]) == [Reconcile()]

    between = [later - earlier for earlier, later in pairwise(times)]
    assert between == [2, 4, 8, 16, 32, 55]


def test_fill_that_stays_lost_does_not_make_a_new_one_wait():
    agenda = idle_agenda()
    agenda.filled(START)
    for now in (START + 2, START + 4, START + 8):
        agenda.fills_checked(now, lost=True, waiting=True)

    agenda.filled(START + 9)

    assert agenda.is_time_for_fills(START + 11)


def test_nothing_is_looked_for_when_no_fill_waits():
    agenda = idle_agenda()
    agenda.filled(START)

    agenda.fills_checked(START + 2, lost=False, waiting=False)

    assert not agenda.is_time_for_fills(START + 1000)


# Markets


def test_lifecycle_event_reads_its_market_now_and_once_more():
    agenda = idle_agenda()

    agenda.market_changed(A, START + 1)

    assert agenda.due(START + 1) == [markets(A)]
    assert agenda.due(START + 3.9) == []
    assert agenda.due(START + 4) == [markets(A)]
    assert times_until(agenda, START + 50, ReadMarkets) == []


def test_lifecycle_event_before_the_second_read_begins_anew():
    agenda = idle_agenda()
    agenda.market_changed(A, START)
    agenda.due(START)

    agenda.market_changed(A, START + 2)

    assert times_until(agenda, START + 50, ReadMarkets) == [2, 5]


def test_markets_that_change_together_are_read_together():
    agenda = idle_agenda()

    agenda.market_changed(A, START)
    agenda.market_changed(B, START)

    assert agenda.due(START) == [markets(A, B)]


def test_missing_market_is_asked_for_ever_later():
    agenda = idle_agenda()

    agenda.markets_missing([A], START)

    assert times_until(agenda, START + 240, ReadMarkets) == [1, 3, 7, 15, 31, 63, 118, 173, 228]


def test_market_that_stays_missing_is_not_new_each_time():
    agenda = idle_agenda()
    agenda.markets_missing([A], START)
    agenda.due(START + 1)

    agenda.markets_missing([A], START + 1)

    assert times_until(agenda, START + 10, ReadMarkets) == [3, 7]


def test_market_that_is_known_is_asked_for_no_more_and_may_be_missing_anew():
    agenda = idle_agenda()
    agenda.markets_missing([A, B], START)
    agenda.due(START + 1)

    agenda.markets_known([A, B])
    quiet = times_until(agenda, START + 10, ReadMarkets)
    agenda.markets_missing([A], START + 10)

    assert quiet == []
    assert times_until(agenda, START + 15, ReadMarkets) == [11, 13]


def test_changed_market_is_read_once_more_although_the_first_read_made_it_known():
    agenda = idle_agenda()
    agenda.markets_missing([A], START)

    agenda.market_changed(A, START + 0.5)
    assert agenda.due(START + 0.5) == [markets(A)]
    agenda.markets_known([A])

    assert times_until(agenda, START + 50, ReadMarkets) == [3.5]


def test_changed_market_that_is_missing_is_asked_for_after_a_second():
    agenda = idle_agenda()
    agenda.market_changed(A, START)
    agenda.due(START)

    agenda.markets_missing([A], START)

    # After 1 and 3 seconds as it is missing; the latter is the second look at its change as well.
    assert times_until(agenda, START + 10, ReadMarkets) == [1, 3, 7]


# The balance


def test_balance_is_read_some_time_after_cash_moved():
    agenda = idle_agenda()

    agenda.cash_moved(START + 10)

    assert times_until(agenda, START + 50, ReadBalance) == [11.1]


def test_balance_is_read_once_more_when_cash_moved_just_before():
    agenda = idle_agenda()

    agenda.cash_moved(START + 10)
    agenda.cash_moved(START + 11)

    # At 11.1 REST may not know yet of what moved at 11.
    assert times_until(agenda, START + 50, ReadBalance) == [11.1, 12.2]


def test_reconciliation_reads_the_balance_too():
    agenda = idle_agenda()
    agenda.cash_moved(START + 10)

    agenda.unshown(START + 12, is_flat=False)

    assert agenda.due(START + 12) == [Reconcile()]
    assert agenda.may_read_balance(START + 12)
    assert times_until(agenda, START + 50, ReadBalance) == []


def test_balance_that_a_reconciliation_read_too_soon_is_read_again():
    agenda = idle_agenda()
    agenda.cash_moved(START + 10)

    agenda.unshown(START + 10, is_flat=False)
    assert carried_out(agenda, START + 10) == [Reconcile()]

    assert times_until(agenda, START + 50, ReadBalance) == [11.1]


def test_balance_that_may_not_be_read_yet_is_read_later():
    agenda = idle_agenda()

    agenda.unshown(START + 0.5, is_flat=False)
    agenda.due(START + 0.5)
    allowed = agenda.may_read_balance(START + 0.5)

    assert not allowed
    assert times_until(agenda, START + 50, ReadBalance) == [1.1]


def test_balance_that_could_not_be_read_is_asked_for_after_five_seconds():
    agenda = idle_agenda()

    agenda.balance_failed(START + 1)

    assert times_until(agenda, START + 50, ReadBalance) == [6]


# Laws

tickers = st.sampled_from([A, B])
flags = st.booleans()
events = st.one_of(
    st.tuples(st.just("reconcile_soon")),
    st.tuples(st.just("unshown"), flags),
    st.tuples(st.just("followed")),
    st.tuples(st.just("garbled")),
    st.tuples(st.just("cash_moved")),
    st.tuples(st.just("filled")),
    st.tuples(st.just("settled")),
    st.tuples(st.just("reconciliation_failed")),
    st.tuples(st.just("balance_failed")),
    st.tuples(st.just("may_read_balance")),
    st.tuples(st.just("market_changed"), tickers),
    st.tuples(st.just("markets_missing"), st.lists(tickers)),
    st.tuples(st.just("markets_known"), st.lists(tickers)),
    st.tuples(st.just("reconciled"), flags),
)


def happen(agenda: Agenda, event: tuple, now: float) -> None:
    match event:
        case ("reconcile_soon",):
            agenda.reconcile_soon()
        case ("unshown", is_flat):
            agenda.unshown(now, is_flat=is_flat)
        case ("reconciled", is_confirmed):
            agenda.reconciled(now, behind=None if is_confirmed else 3.0)
        case ("market_changed", ticker):
            agenda.market_changed(ticker, now)
        case ("markets_missing", missing):
            agenda.markets_missing(missing, now)
        case ("markets_known", known):
            agenda.markets_known(known)
        case (name,):
            getattr(agenda, name)(now)


@given(
    st.lists(
        st.tuples(st.floats(0, 200), st.lists(events, max_size=4), flags, flags, flags, flags),
        max_size=40,
    )
)
def test_whoever_waits_until_something_is_due_finds_something_due(history):
    now = START
    agenda = Agenda(now)
    for seconds, happened, waits, carries_out, lost, waiting in history:
        now = max(now, agenda.next_due) if waits else now + seconds
        for event in happened:
            happen(agenda, event, now)
        expected = now >= agenda.next_due
        is_time = agenda.is_time_for_fills(now)
        if is_time:
            agenda.fills_checked(now, lost=lost, waiting=waiting)

        tasks = agenda.due(now)

        assert expected == bool(is_time or tasks)
        # Nothing is due twice: whatever comes of it, there is time until the next.
        assert agenda.next_due > now
        assert agenda.due(now) == []
        assert not agenda.is_time_for_fills(now)
        if carries_out and (Reconcile() in tasks or ReadBalance() in tasks):
            agenda.may_read_balance(now)
            assert agenda.next_due > now


@given(st.lists(st.tuples(st.floats(0, 3), st.lists(events, max_size=3)), max_size=60))
def test_balance_is_never_read_twice_within_a_second(history):
    now, read_at = START, []
    agenda = Agenda(now)
    for seconds, happened in history:
        now += seconds
        for event in happened:
            if event != ("may_read_balance",):
                happen(agenda, event, now)
        tasks = agenda.due(now)
        if (Reconcile() in tasks or ReadBalance() in tasks) and agenda.may_read_balance(now):
            read_at.append(now)

    assert all(later - earlier > 1.0 for earlier, later in pairwise(read_at))


@given(st.lists(st.tuples(st.floats(0, 100), st.lists(events, max_size=3)), max_size=40))
def test_account_is_read_at_least_every_55_seconds(history):
    now = START
    agenda = Agenda(now)
    for seconds, happened in history:
        now += seconds
        for event in happened:
            happen(agenda, event, now)
        agenda.due(now)

        assert agenda.next_due <= now + 55


@given(st.lists(st.tuples(st.floats(0, 10), st.lists(events, max_size=3)), max_size=40))
def test_agenda_comes_to_rest_when_nothing_happens(history):
    now = START
    agenda = Agenda(now)
    for seconds, happened in history:
        now += seconds
        for event in happened:
            happen(agenda, event, now)
        carried_out(agenda, now)
    agenda.markets_known([A, B])
    agenda.reconciled(now, behind=None)

    looks = 0
    while agenda.next_due <= now + 55:
        at = max(now, agenda.next_due)
        if agenda.is_time_for_fills(at):
            agenda.fills_checked(at, lost=False, waiting=False)
        carried_out(agenda, at)
        looks += 1

    # Each reason once: reconciliations, the balance, two markets twice, fills.
    assert looks <= 12
