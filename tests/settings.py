"""The product's settings with an environment of the tests' own."""

import os
from pathlib import Path

from cryptography.fernet import Fernet

os.environ.update(
    ENV_FILE=os.devnull,
    SECRET_KEY="tests-only-secret-key-of-fifty-characters-or-more-0123456789",
    JWT_SECRET_KEY="tests-only-token-key-of-fifty-characters-or-more-0123456789",
    ENCRYPTION_SECRET_KEY=Fernet.generate_key().decode(),
    DEBUG="false",
    MARK_PRICE="bid",
    TRADING_DAY_TIMEZONE="America/New_York",
    PUBLIC_ORIGIN="",
    SANDBOX_API_BASE="",
)

from config.settings import *  # noqa: E402, F403
from config.settings import BASE_DIR, DATABASES, embedded  # noqa: E402

if not os.environ.get("DATABASE_URL"):
    # Of its own: the tests' databases never share a server with anyone's positions.
    DATABASES["default"] = embedded.database(
        Path(os.environ.get("POSTGRES_DIR") or embedded.default_directory(BASE_DIR, "test-postgres"))
    )
    DATABASES["default"]["CONN_MAX_AGE"] = 0
