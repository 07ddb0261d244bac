"""The embedded server: who uses it, who can reach it, and what it survives."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from postgres import embedded, guardian, programs
from tests.integration.postgres.conftest import (
    PROJECT,
    AttachedProcess,
    is_free,
    requires_root,
    wait_for_lock,
)

Attach = Callable[[Path], AttachedProcess]

# Becomes another user, having imported all it needs, and says how connecting ended.
CONNECTION_AS = """
import os, sys
import psycopg
conninfo, user, group = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([])
os.setgid(group)
os.setuid(user)
try:
    psycopg.connect(conninfo)
except psycopg.OperationalError as error:
    print(error)
else:
    print("connected")
"""

NOBODY = 65534


def connection_as(directory: Path, user: int, group: int) -> str:
    """How connecting to the server of `directory` ends for another user."""
    result = subprocess.run(
        [
            *(sys.executable, "-c", CONNECTION_AS),
            *(make_conninfo(**embedded.conninfo(directory)), str(user), str(group)),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def query(directory: Path, statement: str) -> str:
    with psycopg.connect(make_conninfo(**embedded.conninfo(directory))) as connection:
        return str(connection.execute(statement.encode()).fetchone()[0])


def permissions(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def stop_impatiently(directory: Path) -> None:
    pg_ctl = programs.folder(directory) / "pg_ctl"
    guardian.stop_server(directory / "data", pg_ctl, fast_seconds=1, immediate_seconds=1)


class TestSharing:
    def test_processes_that_start_at_the_same_instant_share_one_server(self, directory, attach):
        processes = [attach(directory) for _ in range(4)]

        pids = {process.postmaster_pid() for process in processes}

        assert len(pids) == 1

    def test_server_stays_while_somebody_is_attached(self, directory, attach):
        first, second = attach(directory), attach(directory)
        pid = first.postmaster_pid()
        second.postmaster_pid()

        first.leave()

        assert attach(directory).postmaster_pid() == pid

    def test_last_one_out_stops_the_server_before_it_is_gone(self, directory, attach):
        first, second = attach(directory), attach(directory)
        first.postmaster_pid()
        second.postmaster_pid()

        first.leave()
        second.leave()

        assert not (directory / "data" / "postmaster.pid").exists()
        with pytest.raises(psycopg.OperationalError, match="No such file"):
            query(directory, "SELECT 1")

    def test_server_is_stopped_when_its_only_user_was_killed(self, directory, attach):
        process = attach(directory)
        process.postmaster_pid()

        process.kill()
        wait_for_lock(directory / "guardian")

        assert not (directory / "data" / "postmaster.pid").exists()

    def test_killed_process_does_not_stop_the_server_of_the_others(self, directory, attach):
        first, second = attach(directory), attach(directory)
        pid = first.postmaster_pid()
        second.postmaster_pid()

        first.kill()

        assert attach(directory).postmaster_pid() == pid
        assert query(directory, "SELECT 1") == "1"

    def test_data_is_kept_from_start_to_start(self, directory, attach):
        first = attach(directory)
        first.postmaster_pid()
        with psycopg.connect(make_conninfo(**embedded.conninfo(directory))) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'still here' AS text")
        first.leave()

        attach(directory).postmaster_pid()

        assert query(directory, "SELECT text FROM kept") == "still here"

    def test_looking_up_the_connection_starts_nothing(self, directory):
        parameters = embedded.database(directory)

        assert parameters["NAME"] == "kalshi_live"
        assert not directory.exists()

    def test_process_that_uses_no_database_starts_no_server(self, directory):
        subprocess.run(
            [sys.executable, "-c", "import django; django.setup()"],
            cwd=PROJECT,
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": "config.settings", "POSTGRES_DIR": str(directory)},
            check=True,
        )

        assert not directory.exists()


class TestCrashes:
    def test_server_killed_under_its_users_is_started_again(self, directory, attach):
        pid = attach(directory).postmaster_pid()

        os.kill(pid, signal.SIGKILL)
        wait_for_lock(directory / "log")
        next_pid = attach(directory).postmaster_pid()

        assert next_pid != pid
        assert query(directory, "SELECT 1") == "1"

    def test_pid_file_of_a_crashed_machine_does_not_block_the_start(
        self, directory, attach, server_account
    ):
        first = attach(directory)
        first.postmaster_pid()
        pid_file = directory / "data" / "postmaster.pid"
        left_behind = pid_file.read_text()
        socket_lock = Path(embedded.conninfo(directory)["host"]) / ".s.PGSQL.5432.lock"
        first.leave()
        user, group = server_account
        identity = {"user": user, "group": group} if os.geteuid() == 0 else {}

        # After a boot the number belongs to another program of the same user.
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, **identity) as other_program:
            _, rest = left_behind.split("\n", 1)
            pid_file.write_text(f"{other_program.pid}\n{rest}")
            socket_lock.write_text(f"{other_program.pid}\n{rest}")
            second = attach(directory)
            pid = second.postmaster_pid()
            other_program.communicate()

        assert pid != other_program.pid
        assert query(directory, "SELECT 1") == "1"

    def test_cluster_creation_that_was_interrupted_begins_anew(self, directory, attach):
        first = attach(directory)
        first.postmaster_pid()
        first.leave()
        wait_for_lock(directory / "guardian")
        (directory / "data").rename(directory / "data.new")

        attach(directory).postmaster_pid()

        assert query(directory, "SELECT 1") == "1"

    def test_failing_start_tells_why_and_what_to_do(self, directory, attach):
        first = attach(directory)
        first.postmaster_pid()
        first.leave()
        (directory / "data" / "PG_VERSION").write_text("9.6\n")

        with pytest.raises(embedded.EmbeddedServerError) as failure:
            embedded.ensure_running(directory)

        assert "database files are incompatible with server" in str(failure.value)
        assert "DATABASE_URL" in str(failure.value)
        assert str(directory / "log") in str(failure.value)


class TestFrozenServer:
    """One that is stopped by SIGSTOP acts on no other signal but SIGKILL."""

    def test_last_one_out_ends_it_all_the_same(self, directory, attach):
        process = attach(directory)
        os.kill(process.postmaster_pid(), signal.SIGSTOP)

        process.leave()

        assert is_free(directory / "log")

    def test_guardian_ends_it_all_the_same(self, directory, attach):
        process = attach(directory)
        os.kill(process.postmaster_pid(), signal.SIGSTOP)

        process.kill()
        wait_for_lock(directory / "guardian")

        assert is_free(directory / "log")

    def test_its_children_are_killed_even_if_they_are_frozen_as_well(self, directory, attach):
        pid = attach(directory).postmaster_pid()
        postmaster, *children = guardian._family_of(directory / "data")
        for process in (postmaster, *children):
            os.kill(process, signal.SIGSTOP)

        stop_impatiently(directory)

        assert postmaster == pid
        assert children
        assert is_free(directory / "log")

    def test_what_was_committed_is_there_after_the_next_start(self, directory, attach):
        pid = attach(directory).postmaster_pid()
        with psycopg.connect(make_conninfo(**embedded.conninfo(directory))) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'still here' AS text")
        os.kill(pid, signal.SIGSTOP)

        stop_impatiently(directory)
        attach(directory).postmaster_pid()

        assert query(directory, "SELECT text FROM kept") == "still here"

    def test_program_that_has_its_pid_after_a_crash_is_spared(
        self, directory, attach, server_account
    ):
        process = attach(directory)
        process.postmaster_pid()
        pid_file = directory / "data" / "postmaster.pid"
        left_behind = pid_file.read_text()
        process.leave()
        user, group = server_account
        identity = {"user": user, "group": group} if os.geteuid() == 0 else {}

        # PostgreSQL's own program signals it, for it looks no further than the file.
        deaf = ["/bin/sh", "-c", 'trap "" INT QUIT; exec cat']
        with subprocess.Popen(
            deaf, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **identity
        ) as other_program:
            other_program.stdin.write("deaf\n")
            other_program.stdin.flush()
            assert other_program.stdout.readline() == "deaf\n"
            _, rest = left_behind.split("\n", 1)
            pid_file.write_text(f"{other_program.pid}\n{rest}")
            stop_impatiently(directory)
            other_program.communicate()

        assert other_program.returncode == 0

    def test_all_that_run_here_are_seen_as_ps_sees_them(self):
        with subprocess.Popen(["/bin/cat", "a b", "-"], stdin=subprocess.PIPE) as cat:
            listing = subprocess.run(
                ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="],
                capture_output=True,
                text=True,
                check=True,
            )
            seen = set(guardian._processes())
            cat.communicate()

        ours = guardian.Process(cat.pid, os.getpid(), "/bin/cat a b -")
        assert ours in seen
        assert ours in guardian.listed(listing.stdout)


class TestPrivacy:
    def test_only_the_servers_user_can_enter_data_and_socket_directory(
        self, directory, attach, server_account
    ):
        attach(directory).postmaster_pid()

        owners = {(directory / name).stat().st_uid for name in ("data", "run")}

        assert owners == {server_account[0]}
        assert mode(directory / "data") == 0o700
        assert mode(directory / "run") == 0o700
        assert mode(directory) & stat.S_IRWXO == 0
        assert {mode(directory / name) for name in ("lock", "attached", "guardian", "log")} == {
            0o600
        }

    def test_server_listens_on_no_network_and_trusts_nobody(self, directory, attach):
        attach(directory).postmaster_pid()

        rules = (directory / "pg_hba.conf").read_text()

        assert rules == "local all all peer map=starter\n"
        assert query(directory, "SHOW listen_addresses") == ""
        assert query(directory, "SELECT rolsuper FROM pg_roles WHERE rolname = user") == "False"

    def test_no_permission_outside_its_directory_is_changed(self, directory, attach):
        installed = programs.installation()
        outside = [*directory.parents, installed, *installed.parents, *installed.rglob("*")]
        before = permissions(*outside)

        attach(directory).postmaster_pid()

        assert permissions(*outside) == before

    @requires_root
    def test_another_user_cannot_reach_the_server(self, directory, attach):
        attach(directory).postmaster_pid()

        answer = connection_as(directory, NOBODY, NOBODY)

        assert "Permission denied" in answer

    @requires_root
    def test_user_who_reaches_the_socket_is_still_refused(self, directory, attach, server_account):
        attach(directory).postmaster_pid()

        answer = connection_as(directory, *server_account)

        assert "Peer authentication failed" in answer

    @requires_root
    def test_directory_that_the_servers_user_cannot_reach_is_refused(self, base):
        home = base / "home"
        home.mkdir(mode=0o700)

        with pytest.raises(embedded.EmbeddedServerError, match="POSTGRES_DIR"):
            embedded.ensure_running(home / "postgres")

        assert mode(home) == 0o700

    def test_directory_that_holds_something_else_is_left_alone(self, directory):
        directory.mkdir(mode=0o755)
        (directory / "thesis.tex").touch()
        before = permissions(directory)

        with pytest.raises(embedded.EmbeddedServerError, match="of its own in POSTGRES_DIR"):
            embedded.ensure_running(directory)

        assert permissions(directory) == before
        assert list(directory.iterdir()) == [directory / "thesis.tex"]


class TestLongPaths:
    @pytest.fixture
    def directory(self, base):
        return base / ("long" * 25) / "postgres"

    def test_socket_moves_to_a_private_directory_when_its_path_is_too_long(
        self, directory, attach, server_account
    ):
        directory.parent.mkdir(mode=0o755)
        attach(directory).postmaster_pid()

        socket_directory = Path(embedded.conninfo(directory)["host"])

        assert not socket_directory.is_relative_to(directory)
        assert mode(socket_directory) == 0o700
        assert socket_directory.stat().st_uid == server_account[0]
        assert query(directory, "SELECT 1") == "1"

    def test_socket_directory_laid_out_by_somebody_else_is_refused(self, directory, base):
        directory.parent.mkdir(mode=0o755)
        trap = base / "trap"
        trap.mkdir()
        socket_directory = Path(embedded.conninfo(directory)["host"])
        socket_directory.symlink_to(trap)

        try:
            with pytest.raises(embedded.EmbeddedServerError, match="another user's"):
                embedded.ensure_running(directory)
        finally:
            socket_directory.unlink()
