"""The live tests themselves, with the sandbox for Kalshi's demo environment."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.commands import perform
from tests.waiting import START_SECONDS

REPOSITORY = Path(__file__).parents[3]


def command(**variables):
    """What `make test-live` runs, and an environment with no more of the account than this."""
    inherited = {name: text for name, text in os.environ.items() if "KALSHI_DEMO" not in name}
    return [sys.executable, "-m", "tests.live"], inherited | variables


def outcome(**variables):
    arguments, environment = command(**variables)
    return subprocess.run(
        arguments,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


async def test_every_call_and_channel_passes_against_the_sandbox(sandbox, tmp_path):
    # Among ten positions there is no game, and so nothing whose beginning is known.
    game = {"event": "KXDUEL-1", "series": "KXDUEL", "title": "Who wins?", "outcomes": "A:0.55"}
    await perform(sandbox, {"do": "list_event", **game, "closes_in": 7200, "starts_in": 3600})
    key_file = tmp_path / "key.pem"
    key_file.write_text(sandbox.private_key)
    arguments, environment = command(
        KALSHI_DEMO_KEY_ID=sandbox.key_id,
        KALSHI_DEMO_PRIVATE_KEY_FILE=str(key_file),
        KALSHI_DEMO_API_BASE=sandbox.api_base,
        KALSHI_DEMO_WS_URL=sandbox.ws_url,
    )

    # Beside this test's loop, which the sandbox runs on.
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0, told.decode()
    assert b" passed" in told
    assert b"skipped" not in told


def test_without_a_key_it_says_what_it_would_do_and_how_to_get_one():
    told = outcome()

    assert told.returncode == 0
    assert "https://external-api.demo.kalshi.co/trade-api/v2" in told.stdout
    assert "market_lifecycle_v2" in told.stdout
    assert "To get a key:" in told.stdout


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({"KALSHI_DEMO_KEY_ID": "x"}, "KALSHI_DEMO_PRIVATE_KEY_FILE is missing"),
        ({"KALSHI_DEMO_PRIVATE_KEY_FILE": "x"}, "KALSHI_DEMO_KEY_ID is missing"),
        (
            {"KALSHI_DEMO_KEY_ID": "x", "KALSHI_DEMO_PRIVATE_KEY_FILE": "/nowhere/key.pem"},
            "No such file",
        ),
        (
            {"KALSHI_DEMO_KEY_ID": "x", "KALSHI_DEMO_PRIVATE_KEY_FILE": "pyproject.toml"},
            "pyproject.toml",
        ),
    ],
)
def test_key_that_cannot_be_used_fails_with_the_reason(variables, advice):
    told = outcome(**variables)

    assert told.returncode == 1
    assert advice in told.stderr
