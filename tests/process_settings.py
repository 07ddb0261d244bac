"""The tests' settings for a process of its own: on the running test's database and sandbox."""

import os
from pathlib import Path

from kalshi.environments import Environment
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
KALSHI_ENVIRONMENTS = {
    "sandbox": Environment("sandbox", os.environ["TEST_API_BASE"], os.environ["TEST_WS_URL"])
}
SANDBOX_DIR = Path(os.environ["TEST_SANDBOX_DIR"])
