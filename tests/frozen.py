"""A database server that is stopped dead, while its kernel goes on to answer for it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from postgres import embedded


@contextmanager
def frozen(directory: Path) -> Iterator[None]:
    """
    As long as this lasts no process of the embedded server of `directory` does anything.

    It must be the test's own: what other test processes do on theirs would fail with this.
    """
    assert directory != Path(os.environ["POSTGRES_DIR"])
    postmaster = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    stopped = [postmaster]
    with psycopg.connect(make_conninfo(**embedded.conninfo(directory))) as own:
        try:
            # First of all, so that no process is added to those that are asked for.
            os.kill(postmaster, signal.SIGSTOP)
            pids = [pid for (pid,) in own.execute("SELECT pid FROM pg_stat_activity")]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
