import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.client import signed
from tests.waiting import PATIENCE_SECONDS, until

PROJECT = Path(__file__).parents[3]

Start = Callable[..., Coroutine[Any, Any, Process]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the command as a process of its own, with the given options."""
    (tmp_path / "sandbox_settings.py").write_text(
        "from pathlib import Path\n"
        "from tests.settings import *\n"
        f"SANDBOX_DIR = Path({str(tmp_path / 'kept')!r})\n"
    )
    started: list[Process] = []

    async def start(*options: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROJECT / "manage.py"),
            "run_sandbox_exchange",
            *options,
            cwd=PROJECT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "sandbox_settings",
                "PYTHONPATH": str(tmp_path),
            },
            stdout=PIPE,
            stderr=PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def first_line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode()


def kept(tmp_path: Path) -> dict[str, str]:
    return json.loads((tmp_path / "kept" / "credentials.json").read_text())


async def test_kept_credentials_read_the_portfolio(start: Start, tmp_path: Path) -> None:
    process = await start("--port", "0", "--positions", "3", "--updates-per-minute", "0")

    line = await first_line(process)
    credentials = kept(tmp_path)
    url = credentials["api_base"] + "/portfolio/positions"
    headers = signed(url, credentials["api_key_id"], credentials["private_key"])
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        response = await client.get(url, headers=headers)

    assert credentials["api_base"] in line
    assert credentials["ws_url"].startswith("ws://127.0.0.1:")
    assert len(response.json()["market_positions"]) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_signal_stops_it_cleanly(start: Start, number: signal.Signals) -> None:
    process = await start("--port", "0")
    await first_line(process)

    process.send_signal(number)
    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 0
    assert errors == b""


async def test_restart_keeps_the_key(start: Start, tmp_path: Path) -> None:
    first = await start("--port", "0")
    await first_line(first)
    before = kept(tmp_path)
    first.terminate()
    await asyncio.wait_for(first.wait(), 30)

    await first_line(await start("--port", "0"))

    after = kept(tmp_path)
    assert after["api_key_id"] == before["api_key_id"]
    assert after["private_key"] == before["private_key"]
    assert after["api_base"] != before["api_base"]


async def test_scenario_is_played_and_the_exchange_runs_on(start: Start, tmp_path: Path) -> None:
    process = await start("--port", "0", "--positions", "3", "--scenario", "money")
    await first_line(process)
    control = (await first_line(process)).split()[-1]

    async with httpx.AsyncClient(base_url=control, timeout=PATIENCE_SECONDS) as client:
        state = (await client.get("/state")).json()

    assert state["ledger"][0]["kind"] == "deposit"


async def test_key_that_is_revoked_or_tidied_away_is_written_down_anew(
    start: Start, tmp_path: Path
) -> None:
    process = await start("--port", "0", "--positions", "1", "--updates-per-minute", "0")
    await first_line(process)
    control = (await first_line(process)).split()[-1]
    first, path = kept(tmp_path), tmp_path / "kept" / "credentials.json"

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        revoked = await client.post(f"{control}commands", json={"do": "revoke_key"})
        second = kept(tmp_path)
        statuses = [await status_of(client, each) for each in (first, second)]
    path.unlink()

    await until(path.exists)
    assert revoked.status_code == 200
    assert second["api_key_id"] == first["api_key_id"]
    assert statuses == [401, 200]
    assert kept(tmp_path) == second


async def status_of(client: httpx.AsyncClient, key: dict[str, str]) -> int:
    url = key["api_base"] + "/portfolio/positions"
    headers = signed(url, key["api_key_id"], key["private_key"])
    return (await client.get(url, headers=headers)).status_code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenario", "none"), b"there is no scenario none"),
        (("--speed", "0.5"), b"--speed can't be less than 1"),
    ],
)
async def test_option_that_makes_no_sense_is_told_in_one_line(
    start: Start, options: tuple[str, str], message: bytes
) -> None:
    process = await start("--port", "0", *options)

    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert message in errors
    assert len(errors.splitlines()) == 1


async def test_taken_port_is_told_in_one_line(start: Start, tmp_path: Path) -> None:
    first = await start("--port", "0")
    await first_line(first)
    before = kept(tmp_path)
    port = before["api_base"].split(":")[2].split("/")[0]

    second = await start("--port", port)
    _, errors = await asyncio.wait_for(second.communicate(), 30)

    assert second.returncode == 1
    assert len(errors.splitlines()) == 1
    assert port.encode() in errors
    assert kept(tmp_path) == before
