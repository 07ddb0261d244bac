"""
Where the published clients live: one virtual environment each, under var/clients/.

`python -m tests.clients.environments` installs them; what cannot be installed is told and left out.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DIRECTORY = PROJECT / "var" / "clients"


@dataclass(frozen=True, slots=True)
class PublishedClient:
    """A package, the version that is tried, and the oldest Python that it runs on."""

    package: str
    version: str
    python: tuple[int, int]

    @property
    def interpreter(self) -> Path:
        return DIRECTORY / self.package / "bin" / "python"

    @property
    def program(self) -> Path:
        return Path(__file__).parent / "programs" / f"try_{self.package.replace('-', '_')}.py"


CLIENTS = (
    PublishedClient("kalshi-python-async", "3.34.0", (3, 13)),
    PublishedClient("kalshi-sdk", "22.4.0", (3, 12)),
    PublishedClient("pykalshi", "2.0.0", (3, 9)),
)


class NotInstallable(Exception):
    """A client that cannot be had on this machine; the message says why."""


def install(client: PublishedClient) -> None:
    """Make a client's environment unless it is there; NotInstallable when that fails."""
    installed = client.interpreter.parents[1] / f".installed-{client.version}"
    if installed.exists():
        return
    python = next((each for each in _pythons() if _version(each) >= client.python), None)
    if python is None:
        needed = ".".join(map(str, client.python))
        raise NotInstallable(f"{client.package} needs Python {needed}, which is not here")
    shutil.rmtree(client.interpreter.parents[1], ignore_errors=True)
    _run(python, "-m", "venv", str(client.interpreter.parents[1]))
    requirement = f"{client.package}=={client.version}"
    _run(str(client.interpreter), "-m", "pip", "install", "--quiet", requirement)
    installed.touch()


def _pythons() -> Iterator[str]:
    """Interpreters of this machine: this one, those on the path, those of pyenv and of uv."""
    yield sys.executable
    for minor in range(15, 10, -1):
        found = shutil.which(f"python3.{minor}")
        if found is not None:
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    managed = Path.home() / ".local" / "share" / "uv" / "python"
    yield from (str(path) for path in sorted(pyenv.glob("versions/3.*/bin/python"), reverse=True))
    yield from (str(path) for path in sorted(managed.glob("cpython-3.*/bin/python"), reverse=True))


def _version(python: str) -> tuple[int, int]:
    """Major and minor, (0, 0) of what is a name only, as pyenv's are."""
    asked = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        return (0, 0)
    major, minor = map(int, asked.stdout.split())
    return (major, minor)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotInstallable(f"{' '.join(command[:4])} failed: {last}")


if __name__ == "__main__":
    for each in CLIENTS:
        try:
            install(each)
        except NotInstallable as error:
            print(f"{each.package} {each.version}: not installed: {error}")
        else:
            print(f"{each.package} {each.version}: installed")
