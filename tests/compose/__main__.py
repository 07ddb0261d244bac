"""
`make test-compose`: the product in containers, brought up, looked at, and each part of it killed.

Everything is under a name and ports of its own, and gone in the end.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from benchmarks.ports import free_port
from config.environment_file import fresh_secrets
from tests.compose.engine import (
    Composed,
    Failed,
    Lacking,
    build,
    check_images,
    check_rights,
    compose_command,
    remove,
)
from tests.compose.visitor import Visitor, until

# Not that of an installation beside it.
TAG = f"kalshi-live-test-{os.getpid()}"
# With the image it is built on, whose published one has 125 MB.
BASE_MB, MOST_MB = 125, 250
SERVICES = ("database", "worker", "web", "sandbox")
PICTURE = Path("var") / "compose.png"


def say(line: str) -> None:
    print(line, flush=True)


def look_at(composed: Composed) -> None:
    """That they run as nobody, can write nothing, and have networks of their own."""
    for service in ("web", "worker", "sandbox"):
        container = composed.container(service)
        host = container["HostConfig"]
        assert container["Config"]["User"] == "nobody", service
        assert host["ReadonlyRootfs"], service
        assert "/tmp" in host["Tmpfs"], service  # noqa: S108  # its own, in memory
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["NetworkMode"] != "host", service
        bindings = [each for ports in (host["PortBindings"] or {}).values() for each in ports]
        assert all(each["HostIp"] == "127.0.0.1" for each in bindings), service
    with pytest.raises(Failed, match="Read-only file system"):
        composed.call("exec", "-T", "web", "python", "-c", "open('/app/x', 'w')")
    say("web, worker, sandbox: nobody, read-only, no capabilities, loopback alone published")


def healthy(composed: Composed, service: str) -> bool:
    state = composed.container(service)["State"]
    return state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy"


def freeze_each(composed: Composed) -> None:
    """That a health check says so when a process stands still."""
    for service in ("worker", "web"):
        began = time.monotonic()
        with composed.frozen(service):
            until(
                lambda service=service: (
                    composed.container(service)["State"]["Health"]["Status"] == "unhealthy"
                ),
                f"{service} is unhealthy",
            )
        said = time.monotonic() - began
        until(lambda service=service: healthy(composed, service), f"{service} is well again")
        say(f"{service}: stood still, which its health check said after {said:.1f} s")


def kill_each(composed: Composed, visitor: Visitor) -> None:
    for service in SERVICES:
        before = composed.container(service)["State"]["StartedAt"]
        began = time.monotonic()
        composed.kill(service)
        until(
            lambda service=service, before=before: (
                composed.container(service)["State"]["StartedAt"] != before
                and healthy(composed, service)
            ),
            f"{service} is back",
        )
        until(visitor.live, f"live after {service} was killed")
        say(f"{service}: killed, and live again after {time.monotonic() - began:.1f} s")


def take_picture(address: str) -> None:
    """Of the sign-in page, by whatever browser is here; the dashboard needs a click."""
    if not (chromium := shutil.which("chromium")):
        say("no chromium here: no picture")
        return
    script = Path(__file__).with_name("picture.py")
    subprocess.run([sys.executable, str(script), chromium, address, str(PICTURE)], check=True)
    say(f"picture of the page: {PICTURE}")


def main() -> int:
    try:
        compose_command()
        check_rights()
        check_images()
    except Lacking as lacking:
        say(f"Not tried. {lacking}")
        return 1
    port = str(free_port())
    address = f"http://localhost:{port}"
    secrets = fresh_secrets() | {"POSTGRES_PASSWORD": "compose"}
    with tempfile.TemporaryDirectory() as directory:
        env_file = Path(directory) / ".env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
        environment = {
            **secrets,
            "ENV_FILE": str(env_file),
            "IMAGE": TAG,
            "PORT": port,
            "SANDBOX_CONTROL_PORT": str(free_port()),
            "COMPOSE_DOCKER_CLI_BUILD": "0",
            "DOCKER_BUILDKIT": "0",
        }
        say("building …")
        own = build(TAG)
        say(f"image: {own:.0f} MB of its own, {own + BASE_MB:.0f} MB with python:3.12-slim")
        assert own + BASE_MB < MOST_MB
        composed = Composed(f"kalshi-live-{os.getpid()}", environment)
        visitor = Visitor(address)
        try:
            began = time.monotonic()
            composed.call("up", "--detach", "--no-build", seconds=300)
            for service in SERVICES:
                until(lambda service=service: healthy(composed, service), f"{service} is healthy")
            until(lambda: httpx.get(f"{address}/readyz").is_success, "ready")
            say(f"up and healthy after {time.monotonic() - began:.1f} s")
            visitor.sign_in()
            told = until(visitor.live, "live")
            say(f"signed in, {len(told['positions'])} positions live")
            look_at(composed)
            kill_each(composed, visitor)
            freeze_each(composed)
            take_picture(address)
        except BaseException:
            say(composed.call("logs", "--no-color", "--tail=60"))
            raise
        finally:
            visitor.close()
            composed.call("down", "--volumes", "--timeout", "5")
            remove(TAG)
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
