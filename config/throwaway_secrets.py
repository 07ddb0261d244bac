"""
Run a Python program with fresh secrets that nobody keeps, for what needs settings but no secret.

    python -m config.throwaway_secrets manage.py collectstatic

Fixed ones would do as well, if nobody ever stored anything with them by mistake. A file of settings
is not read, so that a build is the same wherever it is made.
"""

import os
import sys

from config.environment_file import fresh_secrets

if __name__ == "__main__":
    os.execve(  # noqa: S606  # the same interpreter with the caller's own arguments
        sys.executable,
        [sys.executable, *sys.argv[1:]],
        os.environ | fresh_secrets() | {"ENV_FILE": os.devnull},
    )
