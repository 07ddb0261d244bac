"""Whom the guardian takes for the processes of a server."""

from pathlib import Path

import pytest

from postgres.guardian import Process, family, listed

DATA = Path("/srv/postgres/data")
INIT = Process(1, 0, "/sbin/init")
POSTMASTER = Process(70, 1, "/srv/programs/postgres -D /srv/postgres/data -c config_file=/srv/conf")
WRITER = Process(71, 70, "postgres: walwriter")
CHECKPOINTER = Process(72, 70, "postgres: checkpointer")
ANOTHER = Process(80, 1, "/srv/programs/postgres -D /srv/postgres/data2 -c config_file=/srv/conf")
ITS_WRITER = Process(81, 80, "postgres: walwriter")


def test_postmaster_comes_first_and_then_its_children():
    processes = [INIT, CHECKPOINTER, POSTMASTER, WRITER, ANOTHER, ITS_WRITER]

    assert family(DATA, 70, processes) == [70, 72, 71]


@pytest.mark.parametrize(
    "pid",
    [
        pytest.param(99, id="nobody has the pid"),
        pytest.param(1, id="another program has it"),
        pytest.param(71, id="a child of the server has it"),
        pytest.param(80, id="the server of a directory of a longer name has it"),
    ],
)
def test_pid_of_anybody_else_is_no_server(pid):
    processes = [INIT, POSTMASTER, WRITER, ANOTHER, ITS_WRITER]

    assert family(DATA, pid, processes) == []


def test_postmaster_without_further_arguments_is_known_too():
    assert family(DATA, 70, [Process(70, 1, "postgres -D /srv/postgres/data")]) == [70]


def test_listing_of_ps_is_read_as_it_stands():
    listing = "    1     0 /sbin/init\n   70     1 postgres -D /a  b/data\n   71    70 \n"

    assert listed(listing) == [INIT, Process(70, 1, "postgres -D /a  b/data")]
