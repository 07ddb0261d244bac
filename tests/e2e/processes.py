"""Worker and web server as processes of their own, for tests in which they die."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.db import connection

from sandbox.server import Sandbox

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


class Process:
    """One management command; `start` again after `kill`."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self._arguments = arguments
        self._environment = {**os.environ, **environment}
        self.start()

    def start(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, str(MANAGE), *self._arguments], env=self._environment
        )

    def kill(self) -> None:
        """As a crash would: no goodbye."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> int:
        """Politely; its exit code."""
        self._popen.send_signal(signal.SIGTERM)
        return self._popen.wait(timeout=10)


def environment(sandbox: Sandbox, sandbox_directory: Path) -> dict[str, str]:
    """What the processes need to work on the test's database and sandbox."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.e2e.process_settings",
        "E2E_DATABASE": connection.settings_dict["NAME"],
        "E2E_API_BASE": sandbox.api_base,
        "E2E_WS_URL": sandbox.ws_url,
        "E2E_SANDBOX_DIR": str(sandbox_directory),
    }
