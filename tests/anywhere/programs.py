"""Debian's programs that stand round the product, and which of them this machine lacks."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

NGINX, PGBOUNCER = "nginx", "pgbouncer"
INITDB, POSTGRES = "initdb", "postgres"
PG_DUMP, PG_RESTORE = "pg_dump", "pg_restore"

PACKAGES = {
    NGINX: "nginx-light",
    PGBOUNCER: "pgbouncer",
    INITDB: "postgresql",
    POSTGRES: "postgresql",
    PG_DUMP: "postgresql-client",
    PG_RESTORE: "postgresql-client",
}
# None of them works as root. The packages of PostgreSQL make this user.
SERVER_USER = "postgres"


def path(program: str) -> str | None:
    """Where a program is; None where it is not installed."""
    return shutil.which(program, path=os.pathsep.join(map(str, _folders())))


def missing_packages() -> list[str]:
    """What to install before anything can be tried; empty when all is there."""
    return sorted({package for program, package in PACKAGES.items() if path(program) is None})


def server_user() -> str | None:
    """Whom the servers run as; None for whoever runs this."""
    return pwd.getpwnam(SERVER_USER).pw_name if os.geteuid() == 0 else None


def _folders() -> Iterator[Path]:
    # Debian keeps the server's programs, and those of each version, off the usual path.
    installed = Path("/usr/lib/postgresql")
    if installed.is_dir():
        versions = [each for each in installed.iterdir() if each.name.isdecimal()]
        for version in sorted(versions, key=lambda each: int(each.name), reverse=True):
            yield version / "bin"
    yield Path("/usr/sbin")
    yield from map(Path, os.get_exec_path())
