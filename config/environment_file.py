"""
Write the first `.env`: `.env.example` with fresh secrets in it, readable by its owner alone.

    python -m config.environment_file .env

Needs no settings, which can't be loaded without the secrets. An existing file is never touched.
"""

import os
import secrets
import sys
from pathlib import Path

from cryptography.fernet import Fernet

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"


def write(path: Path) -> None:
    """
    Write the file.

    Raises:
        FileExistsError: there is one; its secrets may be all that opens the stored keys.
    """
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "JWT_SECRET_KEY": secrets.token_urlsafe(50),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "ENCRYPTION_SECRET_KEY": Fernet.generate_key().decode(),
    }
    lines = [
        f"{name}={fresh[name]}" if (name := line.partition("=")[0]) in fresh else line
        for line in EXAMPLE.read_text().splitlines()
    ]
    # Never readable by others, not even for the moment before a chmod.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    print(f"Wrote {sys.argv[1]} with fresh secrets. Keep it: it opens the keys you will store.")
