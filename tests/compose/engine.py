"""A container engine and its compose command, as far as a machine has them."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
IMAGES = ("python:3.12-slim", "postgres:18")
BUILD_SECONDS = 1200
COMMAND_SECONDS = 180


class Lacking(Exception):
    """What the machine has not got, and how it is had."""


class Failed(Exception):
    """A command ended badly; with all that it said."""


def run(*command: str, environment: dict[str, str] | None = None, seconds: float) -> str:
    """
    What a command prints.

    Raises:
        Failed: it ended with another status than 0, or not in time.
    """
    try:
        done = subprocess.run(
            command,
            env=os.environ | (environment or {}),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: not done within {seconds} s") from None
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def compose_command() -> Sequence[str]:
    """
    How compose is called here.

    Raises:
        Lacking: there is no engine, or no compose.
    """
    if not shutil.which("docker"):
        raise Lacking("Docker's command is missing: install Docker Engine, or docker.io on Debian.")
    try:
        run("docker", "version", seconds=30)
    except Failed as error:
        raise Lacking(f"No Docker engine answers: start one. {error}") from None
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]):
            try:
                run(*command, "version", seconds=30)
            except Failed:
                continue
            return command
    raise Lacking("Compose is missing: install Docker's plugin, or Debian's docker-compose.")


def check_rights() -> None:
    """
    See that the containers' processes can be killed.

    Raises:
        Lacking: they are others'.
    """
    if os.geteuid() != 0:
        raise Lacking("Only root may kill the containers' processes: run it as root.")


def check_images() -> None:
    """
    See that what the product's image is built on is here, or can be had.

    Raises:
        Lacking: one of them is not.
    """
    for image in IMAGES:
        try:
            run("docker", "image", "inspect", image, seconds=30)
        except Failed:
            try:
                run("docker", "pull", image, seconds=BUILD_SECONDS)
            except Failed as error:
                raise Lacking(
                    f"The image {image} is not here and can't be had. Where Debian's packages can, "
                    f"`.venv/bin/python -m tests.compose.stand_ins` makes one. {error}"
                ) from None


def build(tag: str) -> float:
    """Build the product's image; how many megabytes it has beyond the image it is built on."""
    # The engine's own builder: the other one wants a plugin. Packages come by the host's network.
    run(
        *("docker", "build", "--network", "host", "--tag", tag, "."),
        environment={"DOCKER_BUILDKIT": "0"},
        seconds=BUILD_SECONDS,
    )
    return (_size(tag) - _size(IMAGES[0])) / 1e6


def remove(tag: str) -> None:
    """Take an image's name back, and the image with it if it has no other."""
    run("docker", "image", "rm", tag, seconds=60)


def _size(image: str) -> int:
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image, seconds=30))


class Composed:
    """The services of one `docker-compose.yml`, under a name of their own."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self._compose = (*compose_command(), "--project-name", name)
        self._environment = environment

    def call(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """What compose says to it."""
        return run(*self._compose, *arguments, environment=self._environment, seconds=seconds)

    def container(self, service: str) -> Any:  # Any: as the engine describes a container
        """What the engine knows of a service's container."""
        name = self.call("ps", "--quiet", service).strip()
        return json.loads(run("docker", "inspect", name, seconds=30))[0]

    def kill(self, service: str) -> None:
        """As a crash would; a kill by the engine would be an order to stay down."""
        os.kill(self.container(service)["State"]["Pid"], signal.SIGKILL)

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """As long as this lasts its program does nothing; a pause would stop its checks too."""
        init = self.container(service)["State"]["Pid"]
        children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        try:
            yield
        finally:
            for child in children:
                os.kill(int(child), signal.SIGCONT)
