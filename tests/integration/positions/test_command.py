import codecs
import os
import pty
import re
import select
import signal
import subprocess
import sys
from io import StringIO
from time import monotonic

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from positions.management.commands.positions import ENTER, LEAVE
from tests.integration.positions.conftest import hold, write
from tests.integration.visitors import make_account
from tests.processes import MANAGE, environment_of_the_test
from tests.told import reconcile, row
from tests.waiting import START_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("positions", *arguments, stdout=out)
    return out.getvalue()


class Terminal:
    """A terminal of 100 by 30 characters in which the command runs."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, str(MANAGE), "positions", *arguments],
            env=environment_of_the_test() | {"COLUMNS": "100", "LINES": "30"},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.shown = ""
        # A character may come in two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def until(self, text: str) -> None:
        """Read on until the text is shown after what was read before."""
        begun, end = len(self.shown), monotonic() + START_SECONDS
        while text not in self.shown[begun:]:
            assert monotonic() < end, self.shown
            self._read()

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        end = monotonic() + START_SECONDS
        while self._read():
            assert monotonic() < end, self.shown
        return self._process.wait(timeout=START_SECONDS)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 1)[0]:
            return True
        try:
            self.shown += self._decoder.decode(os.read(self._ours, 65_536))
        except OSError:
            # The other side was closed.
            return False
        return True


@pytest.fixture
def terminal(sandbox_environment):
    terminals = []

    def start(*arguments: str) -> Terminal:
        terminals.append(Terminal(*arguments))
        return terminals[-1]

    yield start
    for each in terminals:
        each.close()


def test_each_account_has_its_heading_and_its_table(opened, account):
    hold(opened, 2)
    other = make_account(environment="production", name="Spare")

    lines = told().splitlines()

    assert lines[0] == f"Account {account.pk}, demo (demo)"
    assert re.match(r"M000 +YES +10 +40¢ +40¢ +\$4\.00 +\$0\.00 ", lines[3])
    assert lines[4].startswith("M001")
    assert lines[5].startswith("Sum")
    assert f"Account {other.pk}, Spare (production)" in lines


def test_one_account_is_shown_alone(opened, account):
    hold(opened, 1)
    other = make_account(environment="production")

    assert "M000" not in told("--account", str(other.pk))


def test_account_that_is_not_there_is_named():
    with pytest.raises(CommandError, match=r"There is no account 99\."):
        told("--account", "99")


def test_account_of_a_worker_that_died_is_stale(opened):
    hold(opened, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE positions_worker SET heartbeat_at = now() - interval '1 minute'")

    assert "Reconnecting, STALE: no worker feeds it." in told()


def test_watching_without_a_terminal_tells_it_once(opened):
    hold(opened, 1)

    assert told("--watch") == told()


def test_watched_book_follows_what_is_written_until_it_is_interrupted(opened, terminal):
    hold(opened, 1)

    watched = terminal("--watch")
    watched.until("M000")
    reconcile(opened.tracker, [row("M777", "10", "4")], requested_at=200.0)
    write(opened.writer, opened.tracker)
    watched.until("M777")

    assert watched.interrupt() == 0
    assert watched.shown.startswith(ENTER)
    assert watched.shown.endswith(LEAVE)
    assert "Traceback" not in watched.shown


def test_watched_account_that_nobody_announces_is_found(opened, terminal):
    watched = terminal("--watch")
    watched.until("Not read from the exchange yet.")

    make_account(environment="production", name="A late one")
    watched.until("A late one")

    assert watched.interrupt() == 0
