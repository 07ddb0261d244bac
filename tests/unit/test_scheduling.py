import pytest

from tests.inner_pytest import run_pytest
from tests.scheduling import next_file

ENDS_ITS_PROCESS = """
import os
def test_first(): pass
def test_that_ends_its_process(): os._exit(7)
def test_last(): pass
"""


@pytest.mark.parametrize("on_a_build_server", [False, True])
def test_test_that_ends_its_process_is_named_once_and_all_others_run(
    on_a_build_server, monkeypatch, tmp_path
):
    if on_a_build_server:
        monkeypatch.setenv("CI", "true")
    (tmp_path / "test_it.py").write_text(ENDS_ITS_PROCESS)
    (tmp_path / "test_other.py").write_text("def test_other(): pass")

    # A single test is left for the process that comes after.
    ended = run_pytest(
        "-n1", "--dist=loadfile", plugins="xdist.plugin,tests.scheduling", folder=tmp_path
    )

    assert "1 failed, 3 passed" in ended.stdout
    assert ended.stdout.count("crashed while running 'test_it.py::test_that_ends") == 1


@pytest.mark.parametrize(
    ("waiting", "elsewhere", "chosen"),
    [
        (["a/test_1.py", "e2e/test_2.py", "e2e/test_3.py"], [], "e2e/test_2.py"),
        (["e2e/test_2.py", "a/test_1.py", "a/test_4.py"], ["a/x.py", "e2e/y.py"], "a/test_1.py"),
        (["a/test_1.py", "e2e/test_2.py"], ["a/x.py", "a/y.py"], "e2e/test_2.py"),
        # Rather two at once than a process without work.
        (["e2e/test_2.py", "e2e/test_3.py"], ["e2e/y.py"], "e2e/test_2.py"),
        (["a/test_1.py", "a/test_2.py"], [], "a/test_1.py"),
    ],
)
def test_one_process_at_a_time_has_a_browser(waiting, elsewhere, chosen):
    assert next_file(waiting, elsewhere) == chosen
