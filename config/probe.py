"""
Whether an address of this machine answers well, for health checks where there is no curl.

    python -m config.probe URL
"""

import sys
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

SECONDS = 4.0

# What leads a container to the exchange (HTTP_PROXY) does not lead it to itself.
_DIRECT = build_opener(ProxyHandler({}))


def main(url: str) -> int:
    """0 if it answers 200, else 1; the answer, or why there is none, is printed."""
    try:
        with _DIRECT.open(url, timeout=SECONDS) as answer:
            print(answer.read().decode(errors="replace"))
            return 0 if answer.status == HTTPStatus.OK else 1
    except HTTPError as error:
        print(error.code, error.read().decode(errors="replace"))
    except (URLError, TimeoutError) as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
