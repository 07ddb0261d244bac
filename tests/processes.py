"""The product's management commands as processes of their own, for tests in which they die."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.waiting import START_SECONDS

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"


class Process:
    """One management command; `start` again after `kill`."""

    def __init__(
        self, *arguments: str, log: Path, environment: dict[str, str] | None = None
    ) -> None:
        """By default on the running test's database and sandbox."""
        self._arguments = arguments
        self._log = log
        self._environment = environment or environment_of_the_test()
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, str(MANAGE), *self._arguments],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As a crash would: no goodbye."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> int:
        """Politely; its exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code()

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def exit_code(self, seconds: float = START_SECONDS) -> int:
        """Its exit code, once it has ended."""
        return self._popen.wait(timeout=seconds)

    @property
    def said(self) -> str:
        """All that it wrote so far."""
        return self._log.read_text()


def environment_of_the_test() -> dict[str, str]:
    """What a process needs to work on the running test's database and sandbox."""
    sandbox = settings.KALSHI_ENVIRONMENTS["sandbox"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
        "TEST_API_BASE": sandbox.api_base,
        "TEST_WS_URL": sandbox.ws_url,
        "TEST_SANDBOX_DIR": str(settings.SANDBOX_DIR),
    }


async def listens(port: int) -> bool:
    """Whether somebody accepts connections at this port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
