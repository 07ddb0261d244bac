import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment_file import fresh_secrets

REPOSITORY = Path(__file__).parents[3]
SHOW = (
    "from config.settings import KALSHI_ENVIRONMENTS as known\n"
    "for name, each in known.items(): print(name, each.api_proxy, each.ws_proxy)"
)


def settings(**variables):
    """What a process with this environment, and no other settings, tells of its proxies."""
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **fresh_secrets(), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_proxy_is_for_production_and_demo_and_not_for_the_sandbox():
    proxy = "http://alice:hunter2@proxy.example:3128"

    told = settings(
        EXCHANGE_PROXY=proxy,
        SANDBOX_API_BASE="https://sandbox.example/v2",
        SANDBOX_WS_URL="wss://sandbox.example/ws",
    )

    assert told.stdout.splitlines() == [
        f"production {proxy} {proxy}",
        f"demo {proxy} {proxy}",
        "sandbox None None",
    ]


@pytest.mark.parametrize("variables", [{}, {"EXCHANGE_PROXY": ""}], ids=["unset", "empty"])
def test_proxies_of_the_environment_are_not_those_of_the_exchange(variables):
    told = settings(HTTPS_PROXY="http://trap.example", **variables)

    assert told.stdout.splitlines() == ["production None None", "demo None None"]


def test_proxy_of_another_form_is_told_by_the_name_of_the_setting_alone():
    told = settings(EXCHANGE_PROXY="socks5://alice:hunter2@proxy.example")

    last_line = told.stderr.splitlines()[-1]
    assert "EXCHANGE_PROXY must read http://host:port or " in last_line
    assert "hunter2" not in told.stderr
