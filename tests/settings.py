"""The product's settings with an environment of the tests' own."""

import os
from pathlib import Path

from postgres import embedded

os.environ.update(
    ENV_FILE=os.devnull,
    SECRET_KEY="tests-only-secret-key-of-fifty-characters-or-more-0123456789",
    JWT_SECRET_KEY="tests-only-token-key-of-fifty-characters-or-more-0123456789",
    ENCRYPTION_SECRET_KEY="dGVzdHMtb25seS1lbmNyeXB0aW9uLWtleS0zMi1ieXQ=",
    DEBUG="false",
    MARK_PRICE="bid",
    TRADING_DAY_TIMEZONE="America/New_York",
    PUBLIC_ORIGIN=os.environ.get("TEST_PUBLIC_ORIGIN", ""),
    SANDBOX_API_BASE="",
    SANDBOX_WS_URL="",
    DIRECT_DATABASE_URL="",
    METRICS_TOKEN="",
    METRICS_PORT=os.environ.get("TEST_METRICS_PORT", ""),
    # What a process of the tests says is read by people, though from a file.
    LOG_FORMAT="text",
)
# Of its own: the tests' databases never share a server with anyone's positions.
os.environ.setdefault(
    "POSTGRES_DIR",
    str(embedded.default_directory(Path(__file__).resolve().parent.parent, "test-postgres")),
)

from config.settings import *  # noqa: F403
from config.settings import DATABASES

# Of this run alone: two at the same time would drop each other's.
DATABASES["default"]["TEST"] = {"NAME": f"test_kalshi_live_{os.getpid()}"}

# The product's, which `unit/accounts/test_hashing.py` has, takes a fifth of a second each time.
PASSWORD_HASHERS = ["tests.hashers.CountingHasher"]
