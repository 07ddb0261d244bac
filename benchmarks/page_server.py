"""
The server that `page.py` measures the page on: the product's pages, static files and door, and a
stream of its own without worker or database.

    python -m benchmarks.page_server POSITIONS RATE PORTFOLIOS SEED

Prints its port, and ends with its standard input.
"""

import os
import sys

from benchmarks.product import set_up_django
from config.environment_file import fresh_secrets


def main(positions: int, rate: int, portfolios: float, seed: int) -> None:
    """Set Django up, then serve."""
    set_up_django({**fresh_secrets(), "ENV_FILE": os.devnull})
    # Models need Django set up.
    from benchmarks.page_stand_in import run

    run(positions, rate, portfolios, seed)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
