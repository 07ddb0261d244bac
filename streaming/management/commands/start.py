"""`manage.py start`: everything, in one command."""

import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming.launcher.processes import NeverStarted, Processes

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


class Command(BaseCommand):
    """Start worker and web server, and the sandbox if asked for; keep them running until Ctrl-C."""

    help = "Starts the database, the worker and the web server, and stops them all at Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to start, and where."""
        parser.add_argument("--sandbox", action="store_true", help="a simulated exchange as well")
        parser.add_argument(
            "--sandbox-port",
            type=int,
            default=8090,
            help="its control page is at the next one; default: %(default)s",
        )
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="default: PORT, now %(default)s"
        )

    def handle(
        self, *args: Any, sandbox: bool, sandbox_port: int, port: int, **options: Any
    ) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP."""
        control_port = sandbox_port + 1
        ports = [port, sandbox_port, control_port] if sandbox else [port]
        for wanted in ports:
            if _answers(wanted):
                raise CommandError(f"Port {wanted} is taken: is it running already?")
        processes = Processes(lambda line: self.stderr.write(line))
        try:
            # In this process, which so keeps the embedded server running whatever the others do.
            # Nothing is started yet, so a signal simply ends it, also if the database is silent.
            call_command("migrate", verbosity=0)
            processes.obey_signals()
            environment = {}
            if sandbox:
                # The control page always at one place, where the dashboard's link leads.
                command = _manage(
                    "run_sandbox_exchange",
                    *("--port", str(sandbox_port), "--control-port", str(control_port)),
                )
                processes.start("sandbox", command, environment={})
                processes.wait_until(lambda: _answers(sandbox_port))
                environment = _sandbox_addresses(sandbox_port, control_port)
            processes.start("worker", _manage("run_kalshi_stream"), environment)
            processes.start("web server", _manage("serve", "--port", str(port)), environment)
            processes.wait_until(lambda: _answers(port))
            if processes.is_stopping:
                return
            origin = settings.PUBLIC_ORIGIN or f"http://localhost:{port}"
            self.stdout.write(f"\nOpen {origin} — Ctrl-C stops everything.")
            if settings.PUBLIC_ORIGIN is None:
                self.stdout.write(
                    f"(http://127.0.0.1:{port} is the same, but there browsers make no passkeys.)\n"
                )
            processes.run()
        except KeyboardInterrupt:
            return
        except NeverStarted as error:
            raise CommandError(f"The {error} could not be started; see above.") from None
        finally:
            processes.stop()


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(MANAGE), *arguments]


def _sandbox_addresses(port: int, control_port: int) -> dict[str, str]:
    return {
        "SANDBOX_CONTROL_URL": f"http://localhost:{control_port}/",
        "SANDBOX_API_BASE": f"http://127.0.0.1:{port}/trade-api/v2",
        "SANDBOX_WS_URL": f"ws://127.0.0.1:{port}/trade-api/ws/v2",
    }


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
