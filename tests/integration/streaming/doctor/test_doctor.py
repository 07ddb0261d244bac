"""Each fault that can be made here is found, named, and told with its remedy; the rest goes on."""

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import Credential
from kalshi.environments import Environment
from sandbox import keys
from sandbox.faults import FailedAnswer
from tests.integration.streaming import rows
from tests.integration.streaming.doctor.pooler import deaf_pooler


class Examination:
    """What the command said, and how it ended."""

    def __init__(self, said: str, status: int) -> None:
        self.said = said
        self.status = status

    def line(self, subject: str) -> str:
        """What is said of one thing, with its remedy."""
        lines = self.said.splitlines()
        (number,) = [at for at, line in enumerate(lines) if f" {subject}: " in line]
        remedy = lines[number + 1].strip() if lines[number + 1].startswith(" ") else ""
        return f"{lines[number]} {remedy}".strip()


@pytest.fixture
def server_socket(fed) -> Path:
    """Of the tests' own server."""
    return Path(connection.settings_dict["HOST"]) / ".s.PGSQL.5432"


async def examined() -> Examination:
    def examine() -> Examination:
        out = StringIO()
        try:
            call_command("doctor", stdout=out)
        except SystemExit as end:
            return Examination(out.getvalue(), end.code)
        return Examination(out.getvalue(), 0)

    return await asyncio.to_thread(examine)


@pytest.fixture
def well(settings, tmp_path, monkeypatch) -> None:
    """A machine with all that is needed."""
    (tmp_path / "page.css").touch()
    settings.STATIC_ROOT = tmp_path
    monkeypatch.delenv("ENV_FILE")
    settings.BASE_DIR = tmp_path


@pytest.fixture
async def fed(well, database, alice, credential, worker) -> int:
    """Alice's account, live by a worker whose heart beats; its id."""
    await database.run(worker.write, {"M": "0.50"})
    await database.run(rows.reconcile, alice, positions_value="2.5", unrealized_pnl="0.5")
    return alice


async def test_all_is_well(fed, credential):
    found = await examined()

    assert found.status == 0, found.said
    assert found.said.endswith("All is well.\n")
    assert found.line("database").startswith("ok      database: PostgreSQL ")
    assert found.line("migrations") == "ok      migrations: all applied."
    assert "heard " in found.line("announcements")
    assert "answered in" in found.line("sandbox, REST")
    assert found.line("sandbox, WebSocket") == "ok      sandbox, WebSocket: answers."
    assert "as near as can be told" in found.line("sandbox, clock")
    assert "accepts it, scopes " in found.said
    assert "alive, last heartbeat" in found.line("worker")
    assert "holds 1 of 1 accounts" in found.line("worker")
    assert found.line(f"account {fed}").startswith(f"ok      account {fed}: Live for")


async def test_nothing_secret_is_said(fed, sandbox, settings):
    found = await examined()

    assert sandbox.key_id not in found.said
    assert "PRIVATE KEY" not in found.said
    assert settings.SECRET_KEY not in found.said


async def test_exchange_that_is_away_is_named_and_the_rest_goes_on(
    fed, settings, sandbox_environment
):
    nowhere = Environment(
        "demo", "http://127.0.0.1:1/trade-api/v2", "ws://127.0.0.1:1/trade-api/ws/v2"
    )
    settings.KALSHI_ENVIRONMENTS = {"demo": nowhere, "sandbox": sandbox_environment}

    found = await examined()

    assert found.status == 1
    assert "The exchange cannot be reached. (nobody listens there)" in found.line("demo, REST")
    assert "KALSHI_DEMO_API_BASE" in found.line("demo, REST")
    assert "KALSHI_DEMO_WS_URL" in found.line("demo, WebSocket")
    assert found.line("sandbox, REST").startswith("ok")
    assert found.said.endswith("Not all is well: 2 wrong.\n")


async def test_proxy_that_turns_us_away_is_not_the_exchange(fed, sandbox):
    sandbox.faults.answers += [
        FailedAnswer(403, "html", "/exchange/status", None),
        FailedAnswer(403, "html", "/ws", None),
    ]

    found = await examined()

    assert "Something on the way" in found.line("sandbox, REST")
    assert "a firewall, a proxy" in found.line("sandbox, REST")
    assert "Something on the way" in found.line("sandbox, WebSocket")


async def test_wrong_path_is_told_by_its_variable(fed, settings, sandbox_environment):
    astray = replace(sandbox_environment, ws_url=sandbox_environment.ws_url + "x")
    settings.KALSHI_ENVIRONMENTS = {"sandbox": astray}

    found = await examined()

    assert "See that SANDBOX_WS_URL is right" in found.line("sandbox, WebSocket")


async def test_maintenance_is_no_fault_of_ours(fed, sandbox):
    sandbox.begin_maintenance(timedelta(hours=1))

    found = await examined()

    assert found.status == 1
    assert found.line("sandbox, REST").startswith("unknown sandbox, REST: answers that")
    assert "wrong   sandbox" not in found.said


async def test_clock_that_is_off_is_told_from_both_sides(fed, sandbox):
    sandbox.faults.clock_skew = timedelta(seconds=-60)

    found = await examined()

    assert "seconds ahead of the exchange" in found.line("sandbox, clock")
    assert "by NTP" in found.line("sandbox, clock")


async def test_key_that_the_exchange_no_longer_knows(fed, database, sandbox):
    sandbox.revoke_key(sandbox.key_id)

    found = await examined()

    (stored,) = await database.run(lambda: list(Credential.objects.all()))
    line = found.line(f"key {stored.pk} (sandbox {stored.api_key_id_hint})")
    assert line.startswith("wrong")
    assert "Sign in to the page with a good key" in line


async def test_key_that_no_encryption_key_opens(fed, settings):
    settings.ENCRYPTION_SECRET_KEY = [Fernet.generate_key().decode()]

    found = await examined()

    assert "cannot be opened with any key in ENCRYPTION_SECRET_KEY" in found.said
    assert found.said.endswith("Not all is well: 1 wrong.\n")


async def test_key_of_a_sandbox_that_only_another_shell_knows_is_not_wrong(fed, database, settings):
    (stored,) = await database.run(lambda: list(Credential.objects.all()))
    settings.KALSHI_ENVIRONMENTS = {}

    found = await examined()

    line = found.line(f"key {stored.pk} (sandbox {stored.api_key_id_hint})")
    assert line.startswith("unknown")
    assert "SANDBOX_API_BASE" in line
    assert found.said.endswith("Not all is well: 1 unknown.\n")


async def test_key_that_may_trade_is_well_and_said_to(fed, database, sandbox):
    key = keys.new_rsa()
    sandbox.add_key(key, scopes=("read", "write"))
    await database.run(
        rows.make_credential,
        *(fed, sandbox),
        api_key_id=key.api_key_id,
        private_key=key.private_key,
    )

    found = await examined()

    assert found.status == 0
    assert "scopes read, write; it may trade" in found.said


async def test_key_that_is_noted_as_refused_but_is_good(fed, database):
    def refuse() -> None:
        Credential.objects.update(status="refused", refused_at="2026-11-01T00:00:00Z")

    await database.run(refuse)

    assert f"Choose “Reconcile now” for account {fed} in the admin" in (await examined()).said


async def test_worker_that_died_is_told_with_its_accounts(fed, database):
    await database.fetch("UPDATE positions_worker SET heartbeat_at = now() - interval '1 minute'")

    found = await examined()

    assert "none is alive; the last one lived 1 min ago" in found.line("worker")
    assert "manage.py run_kalshi_stream" in found.line("worker")
    assert "no worker feeds it" in found.line(f"account {fed}")


async def test_account_that_is_not_live_is_told_with_what_helps(fed, database):
    await database.fetch(
        "UPDATE positions_accountstream"
        " SET status = 'disconnected', reason = 'credential_unreadable'"
    )

    line = (await examined()).line(f"account {fed}")

    assert line.startswith(f"wrong   account {fed}: Disconnected, STALE: no encryption key opens")
    assert "ENCRYPTION_SECRET_KEY" in line


async def test_migration_that_is_missing_and_one_of_a_newer_version(fed, database):
    last = await database.run(
        lambda: MigrationRecorder.Migration.objects.filter(app="positions").latest("pk")
    )
    await database.run(last.delete)
    try:
        missing = await examined()
        await database.fetch(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '9999', now())"
        )
        newer = await examined()
    finally:
        await database.fetch("DELETE FROM django_migrations WHERE name = '9999'")
        await database.run(last.save)

    assert "1 are not applied. → manage.py migrate" in missing.line("migrations")
    assert "1 of a newer version of the product" in newer.line("migrations")


async def test_database_without_tables_is_told_as_that(fed, database):
    await database.fetch("ALTER TABLE accounts_account RENAME TO elsewhere")
    await database.fetch("ALTER TABLE accounts_credential RENAME TO keys_elsewhere")
    try:
        found = await examined()
    finally:
        await database.fetch("ALTER TABLE elsewhere RENAME TO accounts_account")
        await database.fetch("ALTER TABLE keys_elsewhere RENAME TO accounts_credential")

    assert "see the migrations" in found.line("worker")
    assert "see the migrations" in found.line("keys")


async def test_tables_that_may_not_be_read_are_not_taken_for_missing(fed, database):
    await database.fetch(
        "REVOKE SELECT ON django_migrations, accounts_account, accounts_credential"
        " FROM CURRENT_USER"
    )
    try:
        found = await examined()
    finally:
        await database.fetch(
            "GRANT SELECT ON django_migrations, accounts_account, accounts_credential"
            " TO CURRENT_USER"
        )

    for subject in ("database", "worker", "keys"):
        assert found.line(subject).startswith(f"wrong   {subject}: the database's role may not")


async def test_database_that_is_away_keeps_nothing_else_from_being_told(fed, monkeypatch):
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        found = await examined()
        away.setitem(connection.settings_dict, "EMBEDDED_DIRECTORY", None)
        elsewhere = await examined()

    assert found.status == 1
    assert "POSTGRES_DIR" in found.line("database")
    assert "DATABASE_URL" in elsewhere.line("database")
    assert found.line("worker") == "unknown worker: the database can't be reached."
    assert found.line("announcements").startswith("unknown")
    assert found.line("keys").startswith("unknown")
    assert found.line("sandbox, REST").startswith("ok")


@pytest.fixture
def socket_of_a_database(monkeypatch) -> Iterator[Path]:
    """Where the product looks for the database in place of the server's own socket."""
    # Not the test's own directory, whose path may be too long for a socket.
    with tempfile.TemporaryDirectory(dir="/tmp") as directory, monkeypatch.context() as elsewhere:
        elsewhere.setitem(connection.settings_dict, "HOST", directory)
        # Whoever answers there runs as we do, not as the server.
        elsewhere.delitem(connection.settings_dict["OPTIONS"], "requirepeer", raising=False)
        yield Path(directory) / ".s.PGSQL.5432"


async def test_database_that_answers_nothing_ends_no_examination(fed, socket_of_a_database):
    # As of a frozen server: its kernel takes the connection.
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(socket_of_a_database))
        frozen.listen()
        found = await examined()

    assert found.status == 1
    assert found.line("database").startswith("wrong")
    assert found.line("sandbox, REST").startswith("ok")


async def test_pooler_that_swallows_announcements_is_found(
    fed, server_socket, socket_of_a_database
):
    async with deaf_pooler(socket_of_a_database, server_socket):
        found = await examined()

    assert found.line("announcements").startswith("wrong   announcements: what is announced")
    assert "DIRECT_DATABASE_URL" in found.line("announcements")
    assert found.line("database").startswith("ok")


async def test_pooler_that_is_away_is_told_from_the_database_behind_it(
    fed, server_socket, socket_of_a_database, monkeypatch
):
    direct = {"HOST": str(server_socket.parent)}
    with monkeypatch.context() as pooled:
        pooled.setitem(connection.settings_dict, "DIRECT", direct)
        pooled.setitem(connection.settings_dict, "EMBEDDED_DIRECTORY", None)
        found = await examined()
        direct["HOST"] = "/nowhere"
        neither = await examined()

    assert found.line("database").startswith("ok")
    assert found.line("worker").startswith("ok")
    assert found.line("pooler").startswith("wrong")
    assert "that DATABASE_URL leads to it" in found.line("pooler")
    assert "that DIRECT_DATABASE_URL leads to it" in neither.line("database")


async def test_two_ways_that_lead_to_two_databases_are_found(fed, server_socket, monkeypatch):
    direct = {"HOST": str(server_socket.parent), "NAME": "postgres"}
    with monkeypatch.context() as pooled:
        pooled.setitem(connection.settings_dict, "DIRECT", direct)
        found = await examined()

    assert found.line("announcements").startswith("wrong")
    assert "they lead to two databases" in found.line("announcements")


async def test_pooler_that_answers_is_well(fed, server_socket, monkeypatch):
    direct = {"HOST": str(server_socket.parent)}
    monkeypatch.setitem(connection.settings_dict, "DIRECT", direct)

    assert (await examined()).line("pooler").startswith("ok      pooler: answered in")


async def test_secrets_that_others_may_read(fed, settings):
    file = Path(settings.BASE_DIR) / ".env"
    file.touch(mode=0o644)

    found = await examined()

    assert found.line("settings") == (
        f"wrong   settings: others on this machine may read the secrets. → chmod 600 {file}"
    )
