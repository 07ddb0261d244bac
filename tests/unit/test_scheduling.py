import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ENDS_ITS_PROCESS = """
import os
def test_first(): pass
def test_that_ends_its_process(): os._exit(7)
def test_last(): pass
"""


def test_test_that_ends_its_process_is_named_once_and_all_others_run(tmp_path):
    (tmp_path / "test_it.py").write_text(ENDS_ITS_PROCESS)
    (tmp_path / "test_other.py").write_text("def test_other(): pass")

    # A single test is left for the process that comes after.
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n1", "--dist=loadfile", tmp_path],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "xdist.plugin,tests.scheduling",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert "1 failed, 3 passed" in ended.stdout
    assert ended.stdout.count("crashed while running 'test_it.py::test_that_ends") == 1
