"""`manage.py start`: everything, in one command."""

import json
import signal
import socket
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming.processes import NeverStarted, Processes


class Command(BaseCommand):
    """Start worker and web server, and the sandbox if asked for; keep them running until Ctrl-C."""

    help = "Starts the database, the worker and the web server, and stops them all at Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to start, and where."""
        parser.add_argument("--sandbox", action="store_true", help="a simulated exchange as well")
        parser.add_argument("--sandbox-port", type=int, default=8090, help="default: %(default)s")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="default: PORT, now %(default)s"
        )

    def handle(
        self, *args: Any, sandbox: bool, sandbox_port: int, port: int, **options: Any
    ) -> None:
        """Run until SIGINT or SIGTERM."""
        processes = Processes(lambda line: self.stderr.write(line))
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: processes.ask_to_stop())
        # In this process, which so keeps the embedded server running whatever the others do.
        call_command("migrate", verbosity=0)
        try:
            environment = {}
            if sandbox:
                environment = self._start_sandbox(processes, sandbox_port)
            processes.start("worker", "run_kalshi_stream", environment=environment)
            processes.start("web server", "serve", "--port", str(port), environment=environment)
            processes.wait_until(lambda: _answers(port))
            self.stdout.write(f"\nOpen http://127.0.0.1:{port} — Ctrl-C stops everything.\n")
            processes.run()
        except NeverStarted as error:
            raise CommandError(f"The {error} could not be started; see above.") from None
        finally:
            processes.stop()

    def _start_sandbox(self, processes: Processes, port: int) -> dict[str, str]:
        """Start the sandbox; what the others need to know of it."""
        processes.start("sandbox", "run_sandbox_exchange", "--port", str(port), environment={})
        processes.wait_until(lambda: _answers(port))
        written = json.loads((settings.SANDBOX_DIR / "credentials.json").read_text())
        return {"SANDBOX_API_BASE": written["api_base"], "SANDBOX_WS_URL": written["ws_url"]}


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
