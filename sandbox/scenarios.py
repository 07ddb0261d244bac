"""
Scenarios: commands at given times, in a file that people write.

    title = "A market is decided and paid out"

    [[step]]
    do = "determine"
    market = "held:1"
    yes_value = "1"

    [[step]]
    after = 5          # seconds after the step before
    do = "settle"
    market = "held:1"

`held:1` means the same market in the whole scenario: the first one held when it began.
"""

import asyncio
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandbox.command_fields import BadCommand, Fields
from sandbox.commands import COMMANDS, perform
from sandbox.server import Sandbox

_DIRECTORY = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Step:
    """One command, so many seconds after the one before."""

    after: float
    command: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps with a title for people."""

    title: str
    steps: tuple[Step, ...]


def parse(text: str) -> Scenario:
    """
    A scenario from its file's text.

    Raises:
        BadCommand: it is no TOML, has no title or no steps, or a step does what nobody can.
    """
    try:
        # Prices stay what was written.
        written = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BadCommand(f"a scenario is TOML: {error}") from error
    title, steps = written.get("title"), written.get("step")
    if not isinstance(title, str) or not isinstance(steps, list) or not steps:
        raise BadCommand("a scenario has a title and at least one [[step]]")
    return Scenario(title, tuple(_step(each) for each in steps))


def _step(written: object) -> Step:
    if not isinstance(written, dict):
        raise BadCommand("a step is a table")
    after = written.get("after", 0)
    if isinstance(after, bool) or not isinstance(after, int | Decimal) or after < 0:
        raise BadCommand("after is a number of seconds")
    if written.get("do") not in COMMANDS:
        raise BadCommand(f"do is one of {', '.join(COMMANDS)}, not {written.get('do')}")
    command = {name: value for name, value in written.items() if name != "after"}
    return Step(float(after), command)


def load(name: str) -> Scenario:
    """One of the scenarios that come with the sandbox, or one at a path ending in .toml."""
    path = Path(name) if name.endswith(".toml") else _DIRECTORY / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise BadCommand(f"there is no scenario {name}; there are {', '.join(names())}")
    try:
        return parse(path.read_text())
    except OSError as error:
        raise BadCommand(f"{path} cannot be read") from error


def names() -> list[str]:
    """The scenarios that come with the sandbox."""
    return sorted(path.stem for path in _DIRECTORY.glob("*.toml"))


async def play(sandbox: Sandbox, scenario: Scenario) -> None:
    """
    Carry out the steps, each at its time.

    Raises:
        BadCommand: a step cannot be done; those before it are.
    """
    markets = _markets(sandbox, scenario)
    for step in scenario.steps:
        await asyncio.sleep(step.after)
        command = dict(step.command)
        if command.get("market") in markets:
            command["market"] = markets[command["market"]]
        await perform(sandbox, command)


def _markets(sandbox: Sandbox, scenario: Scenario) -> dict[object, str]:
    """The tickers that the scenario's names stand for as it begins."""
    named = {step.command["market"] for step in scenario.steps if "market" in step.command}
    return {name: Fields(sandbox, {"market": name}).market() for name in named}


class Scenarios:
    """The one scenario that plays at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._task: asyncio.Task[None] | None = None
        self._name = ""
        self._trouble = ""

    @property
    def playing(self) -> str:
        """Its name and how it stands; empty before the first."""
        if self._task is None:
            return ""
        return f"{self._name}: {self._trouble or ('done' if self._task.done() else 'playing')}"

    def names(self) -> list[str]:
        return names()

    def start(self, name: str) -> None:
        """Play one that comes with the sandbox, ending what played; BadCommand for no such."""
        if name not in names():
            raise BadCommand(f"there is no scenario {name}")
        scenario = load(name)
        if self._task is not None:
            self._task.cancel()
        self._name, self._trouble = name, ""
        self._task = asyncio.create_task(self._play(scenario))

    async def _play(self, scenario: Scenario) -> None:
        try:
            await play(self._sandbox, scenario)
        except BadCommand as bad:
            self._trouble = str(bad)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
