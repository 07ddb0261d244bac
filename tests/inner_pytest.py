"""pytest run by a test, with nothing of the run around it: it prints the same on every machine."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What makes pytest say more or other things: on a build server it repeats a failure in its summary.
_OF_THE_RUN_AROUND = ("CI", "BUILD_NUMBER", "PYTEST_", "PY_COLORS", "FORCE_COLOR", "COLUMNS")


def run_pytest(
    *arguments: str, plugins: str, folder: Path, setup: str = "pass"
) -> subprocess.CompletedProcess[str]:
    """pytest in ``folder`` with these plugins alone, once the statements of ``setup`` have run."""
    around = {
        name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_RUN_AROUND)
    }
    its_own = {
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": plugins,
    }
    return subprocess.run(
        [sys.executable, "-c", f"{setup}; import pytest; pytest.main()", *arguments],
        cwd=folder,
        env=around | its_own,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
