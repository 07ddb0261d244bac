"""
The commands of `docs/operations.md`, run as they are written.

A line `<!-- run: NAME -->` stands before each block of them. Only folders are others here, and one
program: `systemctl` asks this run's processes.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

from tests.anywhere import programs
from tests.anywhere.places import DOCUMENT, Places, least_environment

_BLOCK = re.compile(r"^ *<!-- run: ([a-z-]+) -->\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
# Sends its words to this run, and ends with the status that it is told.
# A person sees how it ended, and does not begin the next.
_SEE = "[ $? = 0 ] || exit 1"
_SYSTEMCTL = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    asked.sendall(" ".join(sys.argv[1:]).encode() + b"\\n")
    sys.exit(asked.recv(1) != b"0")
"""


class CommandsFailed(Exception):
    """What is written does not work; the message is what it said."""


def blocks(text: str) -> dict[str, str]:
    """The commands of each block by its name, without their indentation."""
    return {name: dedent(block).strip() for name, block in _BLOCK.findall(text)}


@asynccontextmanager
async def services_of_the_machine(
    places: Places, obey: Callable[[str], Awaitable[bool]]
) -> AsyncIterator[None]:
    """
    `systemctl` for the commands, as long as this lasts.

    Args:
        obey: does what systemctl is asked for, by its words; whether it could.
    """
    folder = places.base / "bin"
    folder.mkdir()
    address = str(places.base / "systemctl")
    systemctl = folder / "systemctl"
    systemctl.write_text(_SYSTEMCTL.format(python=sys.executable, address=address))
    systemctl.chmod(0o755)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode().strip()
        writer.write(b"0" if await obey(words) else b"1")
        writer.close()

    server = await asyncio.start_unix_server(answer, address)
    async with server:
        yield


async def run(*names: str, places: Places) -> None:
    """
    Run the commands of blocks, all in one shell, as a person's own: it goes on after a failure.

    Raises:
        CommandsFailed: one did.
    """
    written = blocks(DOCUMENT.read_text())
    commands = places.commands("\n".join(f"{written[name]}\n{_SEE}" for name in names))
    path = os.pathsep.join([str(places.base / "bin"), _path_of_postgresql(), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", commands),
        env=least_environment(ENV_FILE=str(places.env_file)) | _packages() | {"PATH": path},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise CommandsFailed(f"{', '.join(names)}: {said.decode().strip()}")


def _packages() -> dict[str, str]:
    """How this machine reaches what pip and npm install."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "npm_"))}


def _path_of_postgresql() -> str:
    found = programs.path(programs.PG_DUMP)
    return str(Path(found).parent) if found else ""
