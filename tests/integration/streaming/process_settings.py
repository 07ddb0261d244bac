"""The tests' settings for a process of its own: on the running test's database and sandbox."""

import os

from kalshi.environments import Environment
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["STREAMING_TEST_DATABASE"]
ENCRYPTION_SECRET_KEY = [os.environ["STREAMING_TEST_ENCRYPTION_KEY"]]
KALSHI_ENVIRONMENTS = {
    "sandbox": Environment(
        "sandbox", os.environ["STREAMING_TEST_API_BASE"], os.environ["STREAMING_TEST_WS_URL"]
    )
}
