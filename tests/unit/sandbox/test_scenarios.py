import pytest

from sandbox import scenarios
from sandbox.command_fields import BadCommand
from sandbox.commands import COMMANDS


@pytest.mark.parametrize("name", scenarios.names())
def test_scenario_that_comes_along_can_be_read(name: str) -> None:
    scenario = scenarios.load(name)

    assert scenario.title
    assert {step.command["do"] for step in scenario.steps} <= COMMANDS.keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "a scenario is TOML"),
        ("title = 'x'", "at least one"),
        ("[[step]]\ndo = 'drop'", "a title"),
        ("title = 'x'\nstep = [1]", "a step is a table"),
        ("title = 'x'\nspeed = 'fast'\n[[step]]\ndo = 'drop'", "speed is a number"),
        ("title = 'x'\nspeed = 0.5\n[[step]]\ndo = 'drop'", "speed is a number from 1"),
        ("title = 'x'\nspeed = nan\n[[step]]\ndo = 'drop'", "speed is a number from 1"),
        ("title = 'x'\nspeed = inf\n[[step]]\ndo = 'drop'", "speed is a number from 1"),
        ("title = 'x'\n[[step]]\ndo = 'drop'\nafter = nan", "number of seconds"),
        ("title = 'x'\n[[step]]\ndo = 'dance'", "not dance"),
        ("title = 'x'\n[[step]]\ndo = 'drop'\nafter = -1", "number of seconds"),
        ("title = 'x'\n[[step]]\ndo = 'drop'\nafter = true", "number of seconds"),
    ],
)
def test_what_is_no_scenario_says_why(text: str, message: str) -> None:
    with pytest.raises(BadCommand, match=message):
        scenarios.parse(text)


def test_unknown_scenario_is_told_with_those_there_are() -> None:
    with pytest.raises(BadCommand, match="there are bad_connection"):
        scenarios.load("../secrets")


def test_file_that_is_not_there_is_told() -> None:
    with pytest.raises(BadCommand, match="cannot be read"):
        scenarios.load("nowhere.toml")
