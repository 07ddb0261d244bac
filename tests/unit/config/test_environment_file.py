import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from config import environment_file
from config.secret_keys import NAMES, secret_keys
from config.variables import assignments


def variables(path: Path) -> dict[str, str]:
    lines = assignments(path.read_text(), path)
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_first_file_has_secrets_that_pass(path):
    environment_file.write(path)

    written = variables(path)
    assert secret_keys({name: written[name] for name in NAMES}).django == written["SECRET_KEY"]
    assert len(written["POSTGRES_PASSWORD"]) == 48


def test_only_its_owner_can_read_the_file(path):
    environment_file.write(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_that_is_there_stays_as_it_is(path, capsys):
    path.write_text("SECRET_KEY=all that opens the stored keys\n")

    environment_file.main(path)

    assert path.read_text() == "SECRET_KEY=all that opens the stored keys\n"
    assert "stays as it is" in capsys.readouterr().out


def test_writers_at_the_same_instant_leave_one_whole_file(path):
    def write(_: int) -> str:
        with suppress(FileExistsError):
            environment_file.write(path)
        return path.read_text()

    with ThreadPoolExecutor(8) as threads:
        read = set(threads.map(write, range(32)))

    assert read == {path.read_text()}
    assert set(NAMES) < variables(path).keys()


def test_nothing_else_is_left_beside_the_file(path):
    environment_file.write(path)
    environment_file.main(path)

    assert list(path.parent.iterdir()) == [path]
