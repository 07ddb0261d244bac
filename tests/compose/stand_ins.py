"""
Images in place of `python:3.12-slim` and `postgres:18`, made of Debian's packages.

    python -m tests.compose.stand_ins

For machines that reach Debian's packages and no registry of images. Needs root and debootstrap. The
machine's own certificates go into the first one, as pip and npm may need them to reach theirs.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SUITE = "bookworm"

# What the published image does at its first start, as far as docker-compose.yml asks for it.
ENTRYPOINT = """\
#!/bin/sh
set -e
export PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
export PGDATA=/var/lib/postgresql/data
if [ "$(id -u)" = 0 ]; then
    chown postgres /var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    echo "host all all all scram-sha-256" >> "$PGDATA.new/pg_hba.conf"
    pg_ctl --pgdata="$PGDATA.new" --wait -o "-c listen_addresses= -k /tmp" start >/dev/null
    psql --quiet --host=/tmp --dbname=postgres \\
        --command="CREATE ROLE $POSTGRES_USER SUPERUSER LOGIN PASSWORD '$POSTGRES_PASSWORD'" \\
        --command="CREATE DATABASE $POSTGRES_DB OWNER $POSTGRES_USER"
    pg_ctl --pgdata="$PGDATA.new" --wait stop >/dev/null
    mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -c listen_addresses='*' -k /tmp
"""


def make(tag: str, packages: list[str], files: dict[str, str], *changes: str) -> None:
    """A Debian system with these packages and files, as an image."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE, root],
            check=True,
        )
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        if "python3" in packages:
            (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        for path in (root / "var/cache/apt/archives").glob("*.deb"):
            path.unlink()
        with subprocess.Popen(
            ["tar", "--create", "--directory", root, "."], stdout=subprocess.PIPE
        ) as tar:
            options = [part for change in changes for part in ("--change", change)]
            subprocess.run(["docker", "import", *options, "-", tag], stdin=tar.stdout, check=True)


def main() -> int:
    if os.geteuid() != 0:
        print("Needs root: debootstrap makes devices and changes owners.", file=sys.stderr)
        return 1
    certificates = str(CERTIFICATES)
    make(
        "python:3.12-slim",
        ["python3", "python3-venv", "ca-certificates"],
        {certificates.lstrip("/"): CERTIFICATES.read_text()},
        *(f"ENV {name}={certificates}" for name in ("PIP_CERT", "NODE_EXTRA_CA_CERTS")),
        "ENV PATH=/usr/local/bin:/usr/bin:/bin",
        'CMD ["python"]',
    )
    make(
        "postgres:18",
        ["postgresql"],
        {"usr/local/bin/entrypoint": ENTRYPOINT},
        "ENV PATH=/usr/local/bin:/usr/bin:/bin",
        'ENTRYPOINT ["entrypoint"]',
        "EXPOSE 5432",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
