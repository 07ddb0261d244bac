"""The commands that `make test-anywhere` runs, and the files it runs them with, are there."""

import os
import re
import subprocess
from collections.abc import Callable

import pytest

from tests.anywhere.places import DOCUMENT, OPS, Places, replaced
from tests.anywhere.written import blocks

WRITTEN = blocks(DOCUMENT.read_text())


# What a program of the server does here: it makes a file, says what it was called with, and fails
# if it is the one that is to.
PROGRAM = """#!/bin/sh
touch "$BASE/made by ${0##*/}"
echo "${0##*/} $*" >>"$BASE/calls"
[ "$1" != -c ] || echo new
[ "$(wc -l <"$BASE/calls")" != "$FAILING" ] || exit 1
# The file of settings is moved in truth.
[ "${0##*/}" != mv ] || [ ! -e "$1" ] || /bin/mv "$1" "$2"
"""
PROGRAMS = ("pg_dump", "pg_restore", "runuser", "systemctl", "git", "make", "cp", "mv")
SETTINGS = "SECRET_KEY=secret\nENCRYPTION_SECRET_KEY=old\nDATABASE_URL=postgres://there\n"


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path)


@pytest.fixture
def shell(tmp_path) -> Callable:
    """Of a server whose programs do nothing that matters: gives what commands say."""
    for program in (*(f"bin/{name}" for name in PROGRAMS), "opt/.venv/bin/python"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROGRAM)
        path.chmod(0o755)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/env").write_text(SETTINGS)
    folders = {
        "/opt/kalshi-live": "opt",
        "/etc/kalshi-live": "etc",
        "/etc/systemd/system": "units",
        "/var/backups": "backups",
    }

    def shell(commands: str, *, failing: int = 0) -> str:
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash"],
            input=replaced(
                commands, {name: f"{tmp_path}/{ours}" for name, ours in folders.items()}
            ),
            env={"PATH": path, "BASE": str(tmp_path), "FAILING": str(failing)},
            text=True,
            capture_output=True,
        ).stdout

    return shell


def test_each_block_that_is_run_is_found():
    assert list(WRITTEN) == [
        *("install", "backup", "restore", "upgrade", "tables-back", "go-back", "rotate", "leave"),
        "arrive",
    ]


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_are_ones_that_a_shell_can_read(name):
    read = subprocess.run(["bash", "-n"], input=WRITTEN[name], text=True, capture_output=True)

    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_leave_the_machine_alone_when_they_are_run(name, places):
    commands = places.commands(WRITTEN[name])

    assert not any(f" {folder}" in commands for folder in ("/opt", "/etc", "/var"))


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_leave_the_shell_as_it_was(name, shell):
    # Settings that stay in it would win over the file, as the next commands have changed it.
    look = "\numask; compgen -e -X '*PWD'\n"

    said = shell(f"umask 027{look}{WRITTEN[name]}{look}")

    before, after = said[: len(said) // 2], said[len(said) // 2 :]
    assert before.startswith("0027")
    assert after == before


def test_dump_is_for_its_owner_alone(shell, tmp_path):
    shell(f"umask 022\n{WRITTEN['backup']}")

    assert (tmp_path / "made by pg_dump").stat().st_mode & 0o777 == 0o600


def test_services_can_read_what_an_upgrade_installs(shell, tmp_path):
    shell(f"umask 077\n{WRITTEN['upgrade']}")

    assert {(tmp_path / f"made by {name}").stat().st_mode & 0o777 for name in ("git", "make")} == {
        0o644
    }


@pytest.mark.parametrize("name", WRITTEN)
def test_what_follows_a_failure_is_not_done(name, shell, calls):
    shell(WRITTEN[name])
    done = calls()

    for number in range(1, len(done)):
        shell(WRITTEN[name], failing=number)
        assert calls() == done[:number]
    assert done


@pytest.fixture
def calls(tmp_path) -> Callable[[], list[str]]:
    """What programs have been called for since this was asked last."""

    def taken() -> list[str]:
        lines = (tmp_path / "calls").read_text().splitlines()
        (tmp_path / "calls").write_text("")
        (tmp_path / "etc/env").write_text(SETTINGS)
        return lines

    return taken


@pytest.mark.parametrize("name", ["backup", "restore", "arrive"])
def test_no_database_is_dumped_or_filled_whose_address_is_elsewhere(name, shell, tmp_path, calls):
    (tmp_path / "etc/env").write_text("DATABASE_URL_FILE=/run/secrets/database\n")

    shell(f"export DATABASE_URL=\n{WRITTEN[name]}")

    called = (tmp_path / "calls").read_text() if (tmp_path / "calls").exists() else ""
    assert {line.split()[0] for line in called.splitlines()} <= {"systemctl"}
    assert "start" not in called.split()


# One that a program of the block did not find is not the one that is stored.
@pytest.mark.parametrize(
    "line", ["ENCRYPTION_SECRET_KEY_FILE=/run/key", 'ENCRYPTION_SECRET_KEY="old"', ""]
)
def test_key_that_is_not_found_is_not_replaced(line, shell, tmp_path):
    settings = f"SECRET_KEY=secret\n{line}\n"
    (tmp_path / "etc/env").write_text(settings)

    shell(WRITTEN["rotate"])

    assert (tmp_path / "etc/env").read_text() == settings
    assert not (tmp_path / "made by systemctl").exists()


def test_old_key_is_replaced(shell, tmp_path):
    shell(WRITTEN["rotate"])

    assert (tmp_path / "etc/env").read_text() == SETTINGS.replace("=old", "=new")


def test_old_key_stays_while_something_is_sealed_with_it(shell, tmp_path):
    # A new key is made, the file takes its place, all is restarted, and then it can't be done.
    shell(WRITTEN["rotate"], failing=5)

    assert (tmp_path / "etc/env").read_text() == SETTINGS.replace("=old", "=new,old")


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_stopped_is_waited_for(name):
    stops = re.findall(r"systemctl (?:stop|restart) (.*?)(?: &&.*)?$", WRITTEN[name], re.MULTILINE)

    assert set(stops) <= {"'kalshi-live*'"}


def test_site_of_nginx_and_settings_of_pgbouncer_take_other_ports(places):
    site, settings = places.nginx_site(), places.pgbouncer_settings()

    assert "kalshi.home.example" not in site
    assert all(f"server 127.0.0.1:{port} " in site for port in places.web_ports.values())
    assert f"listen_port = {places.pooler_port}" in settings
    assert "/etc/kalshi-live" not in site + settings


@pytest.mark.parametrize(
    ("unit", "command"),
    [
        ("kalshi-live-web@.service", "serve --port %i"),
        ("kalshi-live-worker.service", "run_kalshi_stream"),
    ],
)
def test_unit_of_systemd_starts_a_command_of_the_product(unit, command):
    lines = (OPS / "systemd" / unit).read_text().splitlines()

    [started] = [line for line in lines if line.startswith("ExecStart=")]
    assert started == f"ExecStart=/opt/kalshi-live/.venv/bin/python manage.py {command}"
