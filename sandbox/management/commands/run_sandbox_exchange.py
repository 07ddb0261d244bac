"""`manage.py run_sandbox_exchange`: the local exchange, until it is stopped."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox import keys
from sandbox.keys import BrokenCredentials
from sandbox.server import running_exchange


class Command(BaseCommand):
    help = "Run a local exchange that speaks Kalshi's protocol, with a simulated market."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8090, help="0 takes a free one")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same market")
        parser.add_argument("--positions", type=int, default=50, help="positions of the member")
        parser.add_argument(
            "--updates-per-minute",
            type=float,
            default=100,
            help="changes of price in all markets together; 0 for a still market",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["positions"] < 0 or options["updates_per_minute"] < 0:
            raise CommandError("--positions and --updates-per-minute can't be negative")
        try:
            asyncio.run(self._serve(options))
        except OSError as error:
            raise CommandError(f"the sandbox can't start: {error}") from error
        except BrokenCredentials as error:
            raise CommandError(str(error)) from error

    async def _serve(self, options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        directory = Path(settings.SANDBOX_DIR)
        credentials = keys.load(directory) or keys.new_rsa()
        async with running_exchange(
            host=options["host"],
            port=options["port"],
            seed=options["seed"],
            positions=options["positions"],
            updates_per_minute=options["updates_per_minute"],
            credentials=credentials,
        ) as sandbox:
            path = keys.save(
                directory, credentials, api_base=sandbox.api_base, ws_url=sandbox.ws_url
            )
            self.stdout.write(f"Sandbox exchange at {sandbox.api_base}, its key in {path}")
            self.stdout.flush()
            await stop.wait()
