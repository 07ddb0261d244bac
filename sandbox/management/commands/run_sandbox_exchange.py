"""`manage.py run_sandbox_exchange`: the local exchange, until it is stopped."""

import asyncio
import signal
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox import keys, scenarios
from sandbox.command_fields import BadCommand
from sandbox.control import running_control
from sandbox.keys import BrokenCredentials
from sandbox.limits import TIERS
from sandbox.server import Sandbox, running_exchange

_FILE_CHECK_SECONDS = 1


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
        parser.add_argument(
            "--speed",
            type=float,
            default=1,
            help="how many times faster time goes by in the markets",
        )
        parser.add_argument(
            "--usage-tier",
            choices=[*TIERS, "none"],
            default="basic",
            help="whose rate limits hold; none for no limits",
        )
        parser.add_argument(
            "--control-port", type=int, default=0, help="of the control page; 0 takes a free one"
        )
        parser.add_argument(
            "--scenario", help="play one, by its name or the path of its file, and go on running"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["positions"] < 0 or options["updates_per_minute"] < 0:
            raise CommandError("--positions and --updates-per-minute can't be negative")
        if options["speed"] < 1:
            raise CommandError("--speed can't be less than 1")
        try:
            asyncio.run(self._serve(options))
        except OSError as error:
            raise CommandError(f"the sandbox can't start: {error}") from error
        except (BrokenCredentials, BadCommand) as error:
            raise CommandError(str(error)) from error

    async def _serve(self, options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        directory = Path(settings.SANDBOX_DIR)
        scenario = scenarios.load(options["scenario"]) if options["scenario"] else None
        credentials = keys.load(directory) or keys.new_rsa()
        tier = options["usage_tier"]
        async with (
            running_exchange(
                host=options["host"],
                port=options["port"],
                seed=options["seed"],
                positions=options["positions"],
                updates_per_minute=options["updates_per_minute"],
                credentials=credentials,
                speed=options["speed"],
                usage_tier=None if tier == "none" else tier,
            ) as sandbox,
            running_control(
                sandbox, port=options["control_port"], gateway=settings.LOCAL_GATEWAY
            ) as control,
        ):
            path = _write_down(sandbox, directory)
            sandbox.key_keeper = lambda: _write_down(sandbox, directory)
            watch = asyncio.create_task(_keep_written_down(sandbox, directory))
            self.stdout.write(f"Sandbox exchange at {sandbox.api_base}, its key in {path}")
            self.stdout.write(f"Control page at {control}")
            self.stdout.flush()
            if scenario is not None:
                await self._play(sandbox, scenario, stop)
            await stop.wait()
            watch.cancel()

    async def _play(
        self, sandbox: Sandbox, scenario: scenarios.Scenario, stop: asyncio.Event
    ) -> None:
        playing = asyncio.create_task(scenarios.play(sandbox, scenario))
        stopping = asyncio.create_task(stop.wait())
        done, waiting = await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for task in done:
            await task


def _write_down(sandbox: Sandbox, directory: Path) -> Path:
    return keys.save(
        directory, sandbox.credentials, api_base=sandbox.api_base, ws_url=sandbox.ws_url
    )


async def _keep_written_down(sandbox: Sandbox, directory: Path) -> None:
    # The file is the way into the sandbox, and is easily tidied away.
    while True:
        await asyncio.sleep(_FILE_CHECK_SECONDS)
        if keys.is_lost(directory, sandbox.credentials, api_base=sandbox.api_base):
            # A disk that is full now may not be so the next time.
            with suppress(OSError):
                _write_down(sandbox, directory)
