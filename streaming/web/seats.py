"""How many streams may be open: of one session, and altogether."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from accounts.errors import TooManyStreams


class Seat:
    """One stream's, from the arrival of its request to its end."""

    def __init__(self, seats: "Seats") -> None:
        self._seats = seats
        self.session: Hashable | None = None

    def take(self, session: Hashable) -> None:
        """
        Say whose stream it is.

        Raises:
            TooManyStreams: the session has as many as it may.
        """
        if self._seats.of_session[session] >= self._seats.per_session:
            raise TooManyStreams
        self._seats.of_session[session] += 1
        self.session = session


class Seats:
    """
    The streams of one process.

    Args:
        per_session, total: how many may be open at once.
    """

    def __init__(self, per_session: int, total: int) -> None:
        self.per_session = per_session
        self.total = total
        self.taken = 0
        self.of_session: Counter[Hashable] = Counter()

    @contextmanager
    def one(self) -> Iterator[Seat]:
        """
        A seat for as long as the context lasts.

        Raises:
            TooManyStreams: all are taken.
        """
        if self.taken >= self.total:
            raise TooManyStreams("This server has as many streams open as it may.")
        seat = Seat(self)
        self.taken += 1
        try:
            yield seat
        finally:
            self.taken -= 1
            if seat.session is not None:
                self.of_session[seat.session] -= 1
                if not self.of_session[seat.session]:
                    del self.of_session[seat.session]
