"""The commands that `make test-anywhere` runs, and the files it runs them with, are there."""

import subprocess

import pytest

from tests.anywhere.places import DOCUMENT, OPS, Places
from tests.anywhere.written import blocks

WRITTEN = blocks(DOCUMENT.read_text())


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path)


def test_each_block_that_is_run_is_found():
    assert list(WRITTEN) == ["backup", "restore", "upgrade", "rotate", "leave", "arrive"]


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_are_ones_that_a_shell_can_read(name):
    read = subprocess.run(["bash", "-n"], input=WRITTEN[name], text=True, capture_output=True)

    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_leave_the_machine_alone_when_they_are_run(name, places):
    commands = places.commands(WRITTEN[name])

    assert not any(f" {folder}" in commands for folder in ("/opt", "/etc", "/var"))


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
