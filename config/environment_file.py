"""
Write the first `.env`: `.env.example` with fresh secrets in it, readable by its owner alone.

    python -m config.environment_file .env

Needs no settings, which can't be loaded without the secrets. An existing file is never touched.
"""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"


def fresh_secrets() -> dict[str, str]:
    """A new one for each secret's variable."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "JWT_SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_SECRET_KEY": Fernet.generate_key().decode(),
    }


def write(path: Path) -> None:
    """
    Write the file, whole or not at all.

    Raises:
        FileExistsError: there is one; its secrets may be all that opens the stored keys.
    """
    fresh = fresh_secrets() | {"POSTGRES_PASSWORD": secrets.token_hex(24)}
    lines = [
        f"{name}={fresh[name]}" if (name := line.partition("=")[0]) in fresh else line
        for line in EXAMPLE.read_text().splitlines()
    ]
    # Never readable by others, not even for the moment before a chmod.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        # Not a rename, which would replace what somebody else wrote in this moment.
        os.link(file.name, path)


def main(path: Path) -> None:
    """Write the file, or say that there is one."""
    try:
        write(path)
    except FileExistsError:
        print(f"{path} is there already; it stays as it is.")
    else:
        print(f"Wrote {path} with fresh secrets. Keep it: it opens the keys you will store.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
