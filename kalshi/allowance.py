"""How much one list may be, over all its pages."""

from kalshi.errors import AnswerTooLarge
from kalshi.fields import values_in

# An account that traded every minute of two months. What is longer is asked for by period.
_MAXIMUM_ROWS = 100_000
_MAXIMUM_PAGES = 1_000
# Of rows as they are, and at the worst 200 MB of memory.
_MAXIMUM_BYTES = 40 * 2**20
_MAXIMUM_VALUES = 2_000_000


class Allowance:
    """What is left for the list, or for all lists that are read together."""

    def __init__(self) -> None:
        self._rows = _MAXIMUM_ROWS
        self._pages = _MAXIMUM_PAGES
        self._bytes = _MAXIMUM_BYTES
        self._values = _MAXIMUM_VALUES

    def take(self, page: bytes, rows: int) -> None:
        """
        Count a page.

        Args:
            rows: how many it holds.
        Raises:
            AnswerTooLarge: it is more than is left.
        """
        self._rows -= rows
        self._pages -= 1
        self._bytes -= len(page)
        self._values -= values_in(page)
        if min(self._rows, self._pages, self._bytes, self._values) < 0:
            raise AnswerTooLarge
