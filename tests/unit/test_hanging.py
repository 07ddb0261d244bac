import pytest

from tests.inner_pytest import run_pytest

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

    ended = run_pytest(
        "--timeout=1",
        plugins="pytest_timeout,tests.hanging",
        folder=tmp_path,
        setup="import tests.hanging as h; h.BEYOND_TIMEOUT_SECONDS = h.TEARDOWN_SECONDS = 0.5",
    )

    assert ended.returncode == 1
    assert "Timeout (" in ended.stderr
    assert hanging.name in ended.stderr
