"""Where all of it is here, and where the files in `ops/` and `docs/operations.md` say it is."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ports import free_port
from tests.anywhere import programs

PROJECT = Path(__file__).resolve().parents[2]
OPS = PROJECT / "ops"
DOCUMENT = PROJECT / "docs" / "operations.md"
# By the ports that the files name.
WEB_SERVERS = ("8001", "8002")


@dataclass(frozen=True, slots=True)
class Places:
    """
    A temporary folder in the place of the machine's own, and ports that are free.

    Attributes:
        etc: of the settings, certificates and passwords.
    """

    base: Path
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    database_port: int = field(default_factory=free_port)
    pooler_port: int = field(default_factory=free_port)
    web_ports: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in WEB_SERVERS}
    )

    @property
    def etc(self) -> Path:
        return self.base / "etc"

    @property
    def units(self) -> Path:
        """Of systemd, which nobody reads here."""
        return self.base / "units"

    @property
    def backups(self) -> Path:
        return self.base / "backups"

    @property
    def logs(self) -> Path:
        return self.base / "logs"

    @property
    def installed(self) -> Path:
        """The product's folder."""
        return self.base / "installed"

    @property
    def origin_of_code(self) -> Path:
        """The repository that it comes from."""
        return self.base / "repository"

    @property
    def env_file(self) -> Path:
        return self.etc / "env"

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.https_port}"

    def prepare(self) -> None:
        """Make the folders: the servers pass through, and read what is given to them."""
        self.base.chmod(0o711)
        for folder in (self.etc, self.units, self.backups, self.logs):
            folder.mkdir(mode=0o711)

    def give(self, *paths: Path) -> None:
        """Hand what was made over to the servers' user, where it is another."""
        if user := programs.server_user():
            for path in paths:
                shutil.chown(path, user, user)

    def put(self, path: Path, text: str, *, to_servers: bool = False) -> Path:
        """Write a file that its owner alone may read."""
        path.touch(mode=0o600)
        path.write_text(text)
        if to_servers:
            self.give(path)
        return path

    def commands(self, text: str) -> str:
        """Written commands, with the folders as they are here."""
        return replaced(
            text,
            {
                "/opt/kalshi-live": str(self.installed),
                "ADDRESS": str(self.origin_of_code),
                "/etc/kalshi-live": str(self.etc),
                "/etc/systemd/system": str(self.units),
                "/var/backups": str(self.backups),
            },
        )

    def nginx_site(self) -> str:
        """`ops/nginx/kalshi-live.conf`, with what is different here."""
        ports = {f"127.0.0.1:{name}": f"127.0.0.1:{port}" for name, port in self.web_ports.items()}
        return replaced(
            (OPS / "nginx" / "kalshi-live.conf").read_text(),
            {
                "listen 80;": f"listen 127.0.0.1:{self.http_port};",
                "listen [::]:80;": "",
                "listen 443 ssl http2;": f"listen 127.0.0.1:{self.https_port} ssl http2;",
                "listen [::]:443 ssl http2;": "",
                "https://kalshi.home.example": self.origin,
                "kalshi.home.example": "localhost",
                "/etc/kalshi-live": str(self.etc),
                **ports,
            },
            all_must_be_there=True,
        )

    def pgbouncer_settings(self) -> str:
        """`ops/pgbouncer/pgbouncer.ini`, with what is different here."""
        return replaced(
            (OPS / "pgbouncer" / "pgbouncer.ini").read_text(),
            {
                "host=database.home.example port=5432": f"host=localhost port={self.database_port}",
                "listen_port = 6432": f"listen_port = {self.pooler_port}",
                "/etc/pgbouncer": str(self.etc),
                "/etc/kalshi-live": str(self.etc),
            },
            all_must_be_there=True,
        )

    def database_url(self, name: str, port: int, way: str, options: str = "") -> str:
        """
        The address of a database, without the password, which is in a file.

        Args:
            way: what its sessions call themselves, to be told apart at the server.
        """
        return (
            f"postgres://kalshi_live@localhost:{port}/{name}"
            f"?passfile={self.etc / 'pgpass'}&application_name={way}{options}"
        )


def replaced(text: str, others: dict[str, str], *, all_must_be_there: bool = False) -> str:
    """The text with others in the place of some; ValueError where a file has changed."""
    for old, new in others.items():
        if all_must_be_there and old not in text:
            raise ValueError(f"{old!r} is not written there any more")
        text = text.replace(old, new)
    return text


def least_environment(**more: str) -> dict[str, str]:
    """What a service manager leaves of an environment: nothing of ours gets in by accident."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more}
