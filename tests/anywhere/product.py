"""The product's own processes, as a service manager would run them."""

import asyncio
import signal
import subprocess
from pathlib import Path

from config.environment_file import fresh_secrets
from sandbox.server import Sandbox
from tests.anywhere.places import Places, least_environment

STOP_SECONDS = 15
# Short, so that each stream ends by itself a few times while all this goes on.
STREAM_SECONDS = 20
WORKER = "worker"


class CommandFailed(Exception):
    """A management command did not end well; the message is what it said."""


class Product:
    """
    A worker and two web servers, with one file of settings.

    Attributes:
        names: of its processes.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._commands = {
            WORKER: ["run_kalshi_stream"],
            **{
                f"web {name}": ["serve", "--port", str(port)]
                for name, port in places.web_ports.items()
            },
        }
        self.names = list(self._commands)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def write_settings(self, sandbox: Sandbox, database: str) -> None:
        """All by `etc/env`, and a secret in a file of its own, as secret stores mount them."""
        places = self._places
        secrets = fresh_secrets()
        jwt = places.put(places.etc / "jwt", secrets.pop("JWT_SECRET_KEY") + "\n")
        places.put(
            places.env_file,
            _lines(
                **secrets,
                JWT_SECRET_KEY_FILE=str(jwt),
                PUBLIC_ORIGIN=places.origin,
                STREAM_SECONDS=str(STREAM_SECONDS),
                SANDBOX_API_BASE=sandbox.api_base,
                SANDBOX_WS_URL=sandbox.ws_url,
                **self._ways_to(database),
            ),
        )

    def move_to(self, database: str) -> None:
        """Another database in the same settings, as on another machine."""
        ways = self._ways_to(database)
        kept = [
            line
            for line in self._places.env_file.read_text().splitlines()
            if line.partition("=")[0] not in ways
        ]
        self._places.put(self._places.env_file, "\n".join(kept) + "\n" + _lines(**ways))

    def _ways_to(self, database: str) -> dict[str, str]:
        places = self._places
        tls = f"&sslmode=verify-full&sslrootcert={places.etc / 'ca.pem'}"
        return {
            "DATABASE_URL": places.database_url(database, places.pooler_port, "pooled"),
            "DIRECT_DATABASE_URL": places.database_url(
                database, places.database_port, "direct", tls
            ),
        }

    # Processes

    def start(self, name: str) -> None:
        """Start one; nothing happens while it runs."""
        if name in self._running and self._running[name].poll() is None:
            return
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._command(*self._commands[name]),
                cwd=self._places.installed,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """End one as a crash would."""
        self._running[name].kill()
        self._running[name].wait()

    def stop(self, name: str, *, may_be_starting: bool = False) -> bool:
        """
        End one as a service manager does; whether it ended well, and in time.

        Args:
            may_be_starting: one that the signal ends before it has seen to it has ended well, as
                for systemd.
        """
        process = self._running.pop(name, None)
        if process is None or process.poll() is not None:
            return True
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
            return status == 0 or (may_be_starting and status == -signal.SIGTERM)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False

    async def obey(self, words: str) -> bool:
        """What `systemctl` is asked for, of all processes together; whether it could be done."""
        match words.split():
            # By the target's name alone the real one would not wait for its services.
            case ["stop" | "restart" as verb, "kalshi-live*"]:
                pass
            case ["start", "kalshi-live.target"]:
                verb = "start"
            # The target alone would bring up those only that were enabled before.
            case ["enable", "--now", "kalshi-live.target", _, _, _]:
                verb = "start"
            case ["daemon-reload"] | ["disable", "kalshi-live.target"]:
                return True
            case _:
                return False
        all_well = True
        if verb in ("stop", "restart"):
            ended = [
                asyncio.to_thread(self.stop, name, may_be_starting=True) for name in self.names
            ]
            all_well = all(await asyncio.gather(*ended))
        if verb in ("start", "restart"):
            for name in self.names:
                self.start(name)
        return all_well

    async def manage(self, *arguments: str) -> str:
        """
        What a management command prints.

        Raises:
            CommandFailed: it ended with another status than 0.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            cwd=self._places.installed,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
        if process.returncode:
            raise CommandFailed(f"{arguments[0]}: {complained.decode().strip()}")
        return said.decode()

    def tracebacks(self) -> list[str]:
        """Whose log has one."""
        return [name for name in self.names if "Traceback" in self._said(name)]

    def _said(self, name: str) -> str:
        log = self._log(name)
        return log.read_text() if log.exists() else ""

    def _log(self, name: str) -> Path:
        return self._places.logs / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        return least_environment(ENV_FILE=str(self._places.env_file), PYTHONUNBUFFERED="1")

    def _command(self, *arguments: str) -> list[str]:
        installed = self._places.installed
        return [str(installed / ".venv/bin/python"), str(installed / "manage.py"), *arguments]


def _lines(**settings: str) -> str:
    # The file is read by a shell too, to which an address's & means something.
    return "".join(
        f'{name}="{value}"\n' if "&" in value else f"{name}={value}\n"
        for name, value in settings.items()
    )
