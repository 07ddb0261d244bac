"""PostgreSQL by TCP with TLS, PgBouncer in front of it, and nginx with https, each by its pid."""

import secrets
import signal
import subprocess
from dataclasses import dataclass

import psycopg

from tests.anywhere import programs
from tests.anywhere.places import Places

STOP_SECONDS = 10
# Whoever comes without TLS is refused, and nobody is trusted.
_WHO_MAY_CONNECT = """\
hostssl all all 127.0.0.1/32 scram-sha-256
hostssl all all ::1/128 scram-sha-256
"""
_NGINX = """\
daemon off;
worker_processes 1;
pid {own}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {own}/nginx-body;
    proxy_temp_path {own}/nginx-proxy;
    fastcgi_temp_path {own}/nginx-fastcgi;
    uwsgi_temp_path {own}/nginx-uwsgi;
    scgi_temp_path {own}/nginx-scgi;
    include {site};
}}
"""


@dataclass(slots=True)
class Server:
    """A program of Debian's that runs until it is stopped."""

    name: str
    process: subprocess.Popen[bytes]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Politely, and if it stays, not so."""
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Database:
    """A PostgreSQL server, and its passwords."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.password = secrets.token_urlsafe(24)
        self._own_password = secrets.token_urlsafe(24)

    def start(self) -> Server:
        """Make the server and start it."""
        places = self._places
        data = places.base / "postgresql"
        data.mkdir(mode=0o700)
        places.give(data)
        secret = places.put(places.base / "initdb", self._own_password, to_servers=True)
        _run(
            _program(programs.INITDB),
            *("--pgdata", str(data), "--username", "postgres", "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        secret.unlink()
        key = places.put(
            places.base / "postgresql.key",
            (places.etc / "certificate-key.pem").read_text(),
            to_servers=True,
        )
        (data / "pg_hba.conf").write_text(_WHO_MAY_CONNECT)
        settings = {
            "listen_addresses": "localhost",
            "port": places.database_port,
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": places.etc / "certificate.pem",
            "ssl_key_file": key,
            # It is thrown away; no crash of the machine is tried here.
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return _start(places, "postgresql", _program(programs.POSTGRES), "-D", str(data), *options)

    def make_role(self) -> None:
        """The product's role, and the file with its password."""
        self.execute(f"CREATE ROLE kalshi_live LOGIN PASSWORD '{self.password}'")
        # As operations.md has it; and for the database that stands for another machine's.
        self._places.put(
            self._places.etc / "pgpass",
            "".join(
                f"*:*:{database}:kalshi_live:{self.password}\n"
                for database in ("kalshi_live", "elsewhere")
            ),
        )
        self._places.put(
            self._places.etc / "userlist.txt",
            f'"kalshi_live" "{self.password}"\n',
            to_servers=True,
        )

    def make(self, name: str) -> None:
        """An empty database that the product owns."""
        self.execute(f"CREATE DATABASE {name} OWNER kalshi_live")

    def execute(self, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """The rows of a query of the server's owner."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            return bool(self.execute("SELECT 1"))
        except psycopg.OperationalError:
            return False

    def refuses_clear_text(self) -> bool:
        """Whether somebody without TLS stays outside."""
        try:
            psycopg.connect(self._conninfo("postgres"), sslmode="disable").close()
        except psycopg.OperationalError as error:
            return "no encryption" in str(error)
        return False

    def _conninfo(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host="localhost",
            port=self._places.database_port,
            user="postgres",
            password=self._own_password,
            dbname=database,
            connect_timeout=5,
            sslmode="verify-full",
            sslrootcert=str(self._places.etc / "ca.pem"),
        )


def start_pgbouncer(places: Places) -> Server:
    """As `ops/pgbouncer` has it."""
    settings = places.put(
        places.etc / "pgbouncer.ini", places.pgbouncer_settings(), to_servers=True
    )
    return _start(places, "pgbouncer", _program(programs.PGBOUNCER), str(settings))


def start_nginx(places: Places) -> Server:
    """As `ops/nginx` has it."""
    site = places.put(places.etc / "site.conf", places.nginx_site(), to_servers=True)
    own = places.base / "nginx"
    own.mkdir(mode=0o700)
    places.give(own, places.etc / "certificate-key.pem")
    settings = places.put(
        places.etc / "nginx.conf", _NGINX.format(own=own, site=site), to_servers=True
    )
    return _start(places, "nginx", _program(programs.NGINX), "-e", "stderr", "-c", str(settings))


def _program(name: str) -> str:
    found = programs.path(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _start(places: Places, name: str, *command: str) -> Server:
    with (places.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=programs.server_user(),
        )
    return Server(name, process)


def _run(*command: str) -> None:
    subprocess.run(
        command, cwd="/", user=programs.server_user(), stdout=subprocess.DEVNULL, check=True
    )
