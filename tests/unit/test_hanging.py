import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# An alarm that a test swallows, and what no alarm is set for: the end of a test that has failed.
HANGING = {
    "the_alarm_is_swallowed": """
import signal, time
def test_it():
    signal.signal(signal.SIGALRM, lambda *_: None)
    time.sleep(60)
""",
    "hangs_after_a_failure": """
import pytest, time
@pytest.fixture
def hanging():
    yield
    time.sleep(60)
def test_it(hanging):
    assert False
""",
}


@pytest.mark.parametrize("name", HANGING)
def test_test_that_hangs_ends_its_process_and_says_where(name, tmp_path):
    hanging = tmp_path / f"test_{name}.py"
    hanging.write_text(HANGING[name])
    hasty = "import tests.hanging as h; h.BEYOND_TIMEOUT_SECONDS = h.TEARDOWN_SECONDS = 0.5"

    ended = subprocess.run(
        [sys.executable, "-c", f"{hasty}; import pytest; pytest.main(['--timeout=1'])"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "pytest_timeout,tests.hanging",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert ended.returncode == 1
    assert "Timeout (" in ended.stderr
    assert hanging.name in ended.stderr
