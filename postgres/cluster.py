"""
The cluster of a server, its settings and its socket, and the one database in it.

The server listens on one Unix socket, in a directory of mode 0700, and accepts by `peer` only the
user that started it.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from postgres import guardian, programs, server_user
from postgres.errors import EmbeddedServerError

# The database, and the role that owns it; not a superuser.
DATABASE = "kalshi_live"
ROLE = "kalshi_live"

SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name, as nothing listens on TCP
# The shortest sun_path of the systems we run on (macOS; Linux has 108), with its final zero.
LONGEST_SOCKET_PATH = 104 - 1

SETTINGS = """\
# Written at each start; changes are lost.
listen_addresses = ''
port = {port}
unix_socket_directories = {socket_directory}
unix_socket_permissions = 0700
hba_file = {hba_file}
ident_file = {ident_file}
max_connections = 100
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
# A failed statement would be logged with its values.
log_min_error_statement = panic
"""


def conninfo(directory: Path) -> dict[str, str]:
    """What libpq needs to connect to the server of `directory`. Starts nothing."""
    return {
        "host": str(socket_directory(directory)),
        "port": str(PORT),
        "user": ROLE,
        "dbname": DATABASE,
        "requirepeer": server_user.name(),
    }


def socket_directory(directory: Path) -> Path:
    """Where the socket lies: beside the data, or in /tmp where that path would be too long."""
    directory = directory.absolute()
    beside_data = directory / "run"
    length = len(os.fsencode(beside_data / f".s.PGSQL.{PORT}"))
    if length <= LONGEST_SOCKET_PATH and "," not in str(beside_data):  # libpq splits at commas
        return beside_data
    # Fixed, unlike TMPDIR or XDG_RUNTIME_DIR, because every process must find the same one. In a
    # sticky directory nobody can put another one in the place of ours.
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(f"/tmp/kalshi-live-{os.geteuid()}-{name}")  # noqa: S108  # see make_private


def own_socket_directory(directory: Path, owner: pwd.struct_passwd) -> Path:
    """Create the socket's directory, or see that it is ours."""
    path = socket_directory(directory)
    server_user.make_private(path, owner)
    return path


def create(directory: Path, owner: pwd.struct_passwd) -> None:
    """Create the cluster in `data`, whole or not at all."""
    unfinished = directory / "data.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    server_user.make_private(unfinished, owner)
    initdb = subprocess.run(  # noqa: S603  # our own program with our own directory
        [
            *(programs.folder(directory) / "initdb", "-D", unfinished, "--username", SUPERUSER),
            *("--encoding", "UTF8", "--locale", "C", "--no-instructions"),
            *("--auth-local", "peer", "--auth-host", "reject"),
        ],
        **guardian.owner_of(unfinished),
        cwd="/",
        env=programs.ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if initdb.returncode != 0:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL server's cluster cannot be created in {directory}; initdb "
            f"says:\n{initdb.stderr.strip()}"
        )
    unfinished.rename(directory / "data")


def write_settings(directory: Path, owner: pwd.struct_passwd) -> None:
    """Write the server's settings, and who may connect, as files the server can only read."""
    ourselves = pwd.getpwuid(os.geteuid()).pw_name
    files = {
        "postgresql.conf": SETTINGS.format(
            port=PORT,
            # A list: its elements are quoted by themselves.
            socket_directory=_quoted(f'"{socket_directory(directory)}"'),
            hba_file=_quoted(str(directory / "pg_hba.conf")),
            ident_file=_quoted(str(directory / "pg_ident.conf")),
        ),
        "pg_hba.conf": "local all all peer map=starter\n",
        "pg_ident.conf": "".join(f'starter "{ourselves}" {role}\n' for role in (ROLE, SUPERUSER)),
    }
    # Not in `data`: the system user could have root write through a symbolic link.
    for name, text in files.items():
        path = directory / name
        path.write_text(text)
        os.chown(path, -1, owner.pw_gid)
        path.chmod(0o640)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def create_database(directory: Path) -> None:
    """Create role and database where they are missing; also the proof that the server accepts."""
    as_superuser = conninfo(directory) | {"user": SUPERUSER, "dbname": SUPERUSER}
    with psycopg.connect(
        make_conninfo(**as_superuser), connect_timeout=5, autocommit=True
    ) as connection:
        role = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE])
        if not role.rowcount:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
        existing = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if not existing.rowcount:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
