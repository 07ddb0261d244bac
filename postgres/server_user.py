"""
The user that runs the server, and the directories only that user can enter.

PostgreSQL refuses to run as root: started by root, the server runs as a system user of its own.
Started by anybody else, it runs as them. No permission outside our own directories is changed.
"""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from postgres.errors import EmbeddedServerError

# Runs the server when we are root.
SYSTEM_USER = "kalshi-postgres"


def name() -> str:
    """The name of the user that runs the server, whether or not that user exists yet."""
    if os.geteuid() == 0:
        return SYSTEM_USER
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise EmbeddedServerError(
            f"The user id {os.geteuid()} has no name on this machine, and PostgreSQL does not run "
            "without one. Add the user, or name a server in DATABASE_URL."
        ) from error


def account(create: bool) -> pwd.struct_passwd:
    """The user that runs the server; root has it created."""
    try:
        return pwd.getpwnam(name())
    except KeyError:
        if not create:
            raise
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and useradd is missing to create a user for it. "
            f"Create the system user {SYSTEM_USER}, or name a server in DATABASE_URL."
        )
    tried = subprocess.run(  # noqa: S603  # the system's program with fixed arguments
        [
            *(useradd, "--system", "--user-group", "--no-create-home"),
            *("--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER),
        ],
        check=False,  # the first starts of two directories may both try
        capture_output=True,
        text=True,
    )
    try:
        return account(create=False)
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and no user could be created for it: "
            f"{tried.stderr.strip()}\n"
            f"Create the system user {SYSTEM_USER}, or name a server in DATABASE_URL."
        ) from None


def make_reachable(directory: Path, owner: pwd.struct_passwd) -> None:
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


def make_private(path: Path, owner: pwd.struct_passwd) -> None:
    """
    Make `path` a directory that only the server's user can enter.

    Raises:
        EmbeddedServerError: somebody else's is there already.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    # Opened once: behind the name the server's user could put a link meanwhile, for root to follow.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _is_somebody_else_s(path) from error
    try:
        if os.fstat(descriptor).st_uid not in (os.geteuid(), owner.pw_uid):
            raise _is_somebody_else_s(path)
        os.fchown(descriptor, owner.pw_uid, owner.pw_gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def _is_somebody_else_s(path: Path) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"{path} is another user's; the embedded PostgreSQL server cannot have its socket "
        "there. Name a directory with a shorter path in POSTGRES_DIR."
    )
