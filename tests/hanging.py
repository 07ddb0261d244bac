"""
No test hangs for ever, whatever it hangs in: what is not over in time ends its process.

pytest-timeout's alarm goes off once, and by an exception: a loop swallows it where it strikes a
callback, and after a failure there is no alarm at all while the test is torn down. What is armed
here needs nobody's help; pytest-xdist then names the test, and goes on in another process.
"""

import faulthandler
import os
import sys
from collections.abc import Generator

import pytest

# More than what a test may still do when pytest-timeout's alarm has gone off.
BEYOND_TIMEOUT_SECONDS = 300
TEARDOWN_SECONDS = 600

STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    # Of the process itself: while tests run, what they write to theirs is kept from sight.
    config.stash[STDERR] = os.dup(sys.__stderr__.fileno())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    timeout = timeout_of(item)
    if timeout:  # none for whoever debugs
        arm(item, timeout + BEYOND_TIMEOUT_SECONDS)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Anew, as pytest itself disarms it at each failure."""
    arm(item, TEARDOWN_SECONDS)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def arm(item: pytest.Item, seconds: float) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[STDERR])


def timeout_of(item: pytest.Item) -> float:
    """After how many seconds pytest-timeout's alarm goes off."""
    marker = item.get_closest_marker("timeout")
    if marker:
        return float(marker.args[0])
    asked = item.config.getoption("timeout")
    return float(item.config.getini("timeout") if asked is None else asked)
