"""What is said, by every process, of a setting that can't be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment_file import fresh_secrets
from tests.processes import MANAGE

HIDDEN = "hunter2"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """One with which every process starts."""
    return fresh_secrets() | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "PATH": os.environ["PATH"],
    }


def run(*command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=MANAGE.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_good_settings_are_accepted(environment):
    checked = run(str(MANAGE), "check", environment=environment)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PUBLIC_ORIGIN", f"https://user:{HIDDEN}@kalshi.example"),
        ("SECRET_KEY", HIDDEN),
        ("JWT_SECRET_KEY", HIDDEN * 8),
        ("ENCRYPTION_SECRET_KEY", HIDDEN),
        ("ENCRYPTION_SECRET_KEY", "A" * 43 + "="),
        ("DEBUG", HIDDEN),
        ("POSTGRES_DIR", ""),
        ("PORT", HIDDEN),
        ("TRADING_DAY_TIMEZONE", f"../{HIDDEN}"),
        ("MARK_PRICE", HIDDEN),
        ("DATABASE_URL", f"postgres://user:{HIDDEN}@host:port/name"),
        ("DATABASE_URL", HIDDEN),
        ("DIRECT_DATABASE_URL", f"postgres://user:{HIDDEN}@host/name"),
        ("DATABASE_URL_FILE", "/nowhere/url"),
        ("TRUSTED_PROXIES", HIDDEN),
        ("STREAM_SECONDS", HIDDEN),
        ("KALSHI_API_BASE", f"http://{HIDDEN}.example"),
        ("KALSHI_WS_URL", f"ws://{HIDDEN}.example"),
        ("KALSHI_DEMO_API_BASE", f"https://user:{HIDDEN}@exchange.example"),
        ("KALSHI_DEMO_WS_URL", HIDDEN),
        ("STREAMS_PER_SESSION", HIDDEN),
        ("STREAMS_TOTAL", HIDDEN),
        ("ENV_FILE", "/nowhere/.env"),
    ],
)
def test_wrong_setting_is_named_in_one_line_without_its_value(name, text, environment):
    refused = run(str(MANAGE), "check", environment=environment | {name: text})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert name in refused.stderr
    assert HIDDEN not in refused.stderr


def test_half_a_sandbox_is_told_by_the_missing_half(environment):
    half = environment | {"SANDBOX_WS_URL": f"ws://127.0.0.1/{HIDDEN}"}

    refused = run(str(MANAGE), "check", environment=half)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("SANDBOX_API_BASE is missing")


def test_debugging_behind_https_is_refused(environment):
    deployed = environment | {"DEBUG": "true", "PUBLIC_ORIGIN": "https://kalshi.example"}

    refused = run(str(MANAGE), "check", environment=deployed)

    assert refused.returncode == 1
    assert refused.stderr.startswith("DEBUG must be false")


def test_missing_secrets_are_named_in_one_line(environment):
    without = {"PATH": environment["PATH"], "ENV_FILE": os.devnull}

    refused = run(str(MANAGE), "check", environment=without)

    assert refused.returncode == 1
    assert refused.stderr == (
        "SECRET_KEY, JWT_SECRET_KEY, ENCRYPTION_SECRET_KEY are missing: `make setup` writes a .env "
        "with fresh secrets where there is none.\n"
    )


def test_malformed_line_of_the_file_is_not_shown(environment, tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text(f"DEBUG=false\nSECRET_KEY {HIDDEN}\n")

    refused = run(str(MANAGE), "check", environment=environment | {"ENV_FILE": str(file)})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"'{file}', line 2 cannot be read: ")
    assert refused.stderr.count("\n") == 1
    assert HIDDEN not in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *[[], ["help"], ["help", "migrate"], ["--version"], ["--help"]],
        *[["check"], ["check", "--deploy"], ["migrate"], ["shell"], ["runserver"]],
        *[["runserver", "--noreload"], ["makemigrations", "--check"], ["collectstatic"]],
        *[["serve"], ["start"], ["run_kalshi_stream"], ["run_sandbox_exchange"]],
        *[["rotate_encryption_key"], ["kalshi"], ["no_such_command"]],
        ["check", "--settings", "config.settings"],
    ],
    ids=" ".join,
)
def test_every_command_refuses(arguments, environment):
    refused = run(str(MANAGE), *arguments, environment=environment | {"PORT": HIDDEN})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "PORT must be a whole number from 1 to 65535.\n"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("-c", "import config.asgi"), id="imported"),
        pytest.param(("-m", "uvicorn", "config.asgi:application", "--port", "0"), id="uvicorn"),
    ],
)
def test_application_for_other_servers_refuses(command, environment):
    refused = run(*command, environment=environment | {"PORT": HIDDEN})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "PORT must be a whole number from 1 to 65535.\n"


def test_build_needs_no_secrets(environment, tmp_path):
    # As a build has it: nothing set, and a file that is nobody's business.
    bare = {"PATH": environment["PATH"], "ENV_FILE": "/nowhere/.env"}

    built = run("-m", "config.throwaway_secrets", str(MANAGE), "check", environment=bare)

    assert (built.returncode, built.stderr) == (0, "")


def test_every_build_has_secrets_of_its_own():
    told = "import os; print(os.environ['ENCRYPTION_SECRET_KEY'])"

    first, second = (
        run("-m", "config.throwaway_secrets", "-c", told, environment={}).stdout for _ in "12"
    )

    assert first != second


def test_djangos_check_of_a_deployment_finds_nothing(environment):
    deployed = environment | {"PUBLIC_ORIGIN": "https://kalshi.example"}

    checked = run(str(MANAGE), "check", "--deploy", "--fail-level", "WARNING", environment=deployed)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "System check identified no issues (3 silenced).\n"
