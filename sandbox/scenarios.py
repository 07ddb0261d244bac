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

A scenario with a `speed` plays in the markets' time: `after` is seconds there, and each step
happens exactly at its moment, for which the markets' clock waits if it has to. `quarter` is of that
kind; its steps are made, not written.
"""

import asyncio
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeGuard

from sandbox.clock import MarketClock
from sandbox.command_fields import BadCommand, Fields
from sandbox.commands import COMMANDS, perform
from sandbox.quarter import quarter
from sandbox.server import Sandbox

_DIRECTORY = Path(__file__).parent / "scenarios"
_QUARTER = "quarter"
_QUARTER_SPEED = 129_600.0


@dataclass(frozen=True, slots=True)
class Step:
    """One command, so many seconds after the one before; of which time, its scenario says."""

    after: float
    command: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    Steps with a title for people.

    Args:
        speed: how fast the markets' time goes by, by which the steps are timed; None times them by
            the world's.
    """

    title: str
    steps: tuple[Step, ...]
    speed: float | None = None


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
    speed = written.get("speed")
    if speed is not None and not (_is_number(speed) and speed >= 1):
        raise BadCommand("speed is a number from 1")
    return Scenario(
        title, tuple(_step(each) for each in steps), None if speed is None else float(speed)
    )


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    """Whether it counts something: TOML's numbers include `inf` and `nan`."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(value).is_finite()


def _step(written: object) -> Step:
    if not isinstance(written, dict):
        raise BadCommand("a step is a table")
    after = written.get("after", 0)
    if not _is_number(after) or after < 0:
        raise BadCommand("after is a number of seconds")
    if written.get("do") not in COMMANDS:
        raise BadCommand(f"do is one of {', '.join(COMMANDS)}, not {written.get('do')}")
    command = {name: value for name, value in written.items() if name != "after"}
    return Step(float(after), command)


def _quarter() -> Scenario:
    """A trader's quarter in a minute."""
    moments = list(quarter())
    begun = [timedelta(), *(at for at, _ in moments)]
    steps = tuple(
        Step((at - before).total_seconds(), command)
        for before, (at, command) in zip(begun, moments, strict=False)
    )
    return Scenario("Ninety days of a trader in one minute", steps, _QUARTER_SPEED)


def load(name: str) -> Scenario:
    """One of the scenarios that come with the sandbox, or one at a path ending in .toml."""
    if name == _QUARTER:
        return _quarter()
    path = Path(name) if name.endswith(".toml") else _DIRECTORY / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise BadCommand(f"there is no scenario {name}; there are {', '.join(names())}")
    try:
        return parse(path.read_text())
    except OSError as error:
        raise BadCommand(f"{path} cannot be read") from error


def names() -> list[str]:
    """The scenarios that come with the sandbox."""
    return sorted([*(path.stem for path in _DIRECTORY.glob("*.toml")), _QUARTER])


async def play(sandbox: Sandbox, scenario: Scenario) -> None:
    """
    Carry out the steps, each at its time.

    Raises:
        BadCommand: a step cannot be done; those before it are.
    """
    markets = _markets(sandbox, scenario)
    clock, speed = sandbox.market_clock, sandbox.market_clock.speed
    try:
        if scenario.speed is not None:
            clock.set_speed(scenario.speed)
        for step in scenario.steps:
            command = dict(step.command)
            if command.get("market") in markets:
                command["market"] = markets[command["market"]]
            if scenario.speed is None:
                await asyncio.sleep(step.after)
                await perform(sandbox, command)
            else:
                # From where the step before left it, which may have let time jump.
                due = clock.stop() + timedelta(seconds=step.after)
                await perform_at(sandbox, await _reach(clock, due), command)
    except (ValueError, OverflowError) as error:
        raise BadCommand(f"a step has no such moment: {error}") from error
    finally:
        if scenario.speed is not None:
            clock.wait_at(None)
            clock.set_speed(speed)


async def _reach(clock: MarketClock, moment: datetime) -> datetime:
    """
    Let the markets' time go on until a moment, and stand there; the moment where it stands.

    It is a later one if somebody else let time jump meanwhile.
    """
    clock.wait_at(moment)
    await asyncio.sleep((moment - clock.now()).total_seconds() / clock.speed)
    return max(moment, clock.stop())


async def perform_at(sandbox: Sandbox, moment: datetime, command: Mapping[str, object]) -> None:
    """
    Carry out a command at a moment of the markets' time, where their clock then stands.

    Whoever calls it again and again plays without the world's time: what time does to markets up to
    the moment is done before.

    Raises:
        BadCommand: as `perform`.
        ValueError: the moment has passed.
    """
    sandbox.market_clock.go_to(moment)
    sandbox.advance()
    await perform(sandbox, command)


def _markets(sandbox: Sandbox, scenario: Scenario) -> dict[object, str]:
    """The tickers that the scenario's names stand for as it begins; others may be listed by it."""
    named = {step.command.get("market") for step in scenario.steps}
    held = {name for name in named if isinstance(name, str) and name.startswith("held:")}
    return {name: Fields(sandbox, {"market": name}).market() for name in held}


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
