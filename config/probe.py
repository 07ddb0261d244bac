"""
Whether an address of this machine answers well, for health checks where there is no curl.

    python -m config.probe URL
"""

import sys
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

SECONDS = 4.0


def main(url: str) -> int:
    """0 if it answers 200, else 1; the answer, or why there is none, is printed."""
    try:
        with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310  # the address is the operator's
            print(answer.read().decode(errors="replace"))
            return 0 if answer.status == HTTPStatus.OK else 1
    except HTTPError as error:
        print(error.code, error.read().decode(errors="replace"))
    except (URLError, TimeoutError) as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
