"""
The way through the pages of a list that may be of any length.

Each page names the next by a cursor. A list that never ends is told from a long one by Brent's
method: one cursor is kept as a landmark, and moved on after one step, then after two, four, eight
more. Who walks in a circle meets it within three times the way that was walked until then, and no
more than one cursor is ever kept.
"""

from kalshi.errors import DecodeError

# One after the other. The exchange may send some where it filters what it has found.
MOST_EMPTY_PAGES = 1_000


class Trail:
    """
    The cursors of one list, as they are followed.

    Args:
        what: the list's name, for messages.
    """

    __slots__ = ("_empty_pages", "_landmark", "_steps", "_stride", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._landmark: str | None = None
        self._steps = 0
        self._stride = 1
        self._empty_pages = 0

    def follow(self, cursor: str, *, is_empty: bool) -> None:
        """
        Go on to the page that `cursor` names.

        Args:
            is_empty: the page that names it holds no rows.
        Raises:
            DecodeError: it leads back to a page that was read, or the empty pages have no end. What
                was read so far is then not known to be all.
        """
        if cursor == self._landmark:
            raise DecodeError(f"the pages of {self._what} lead back to one that was read")
        self._empty_pages = self._empty_pages + 1 if is_empty else 0
        if self._empty_pages >= MOST_EMPTY_PAGES:
            raise DecodeError(f"the pages of {self._what} are empty without an end")
        self._steps += 1
        if self._steps == self._stride:
            self._landmark, self._steps, self._stride = cursor, 0, self._stride * 2
