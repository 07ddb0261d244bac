"""
What is still to be done, by time.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count

# As `commands.perform` takes it.
Command = dict[str, object]
Act = Callable[[timedelta], Iterator[Command]]


class Agenda:
    """Acts by the moment they are for; those that share one are done as they were added."""

    def __init__(self) -> None:
        self._acts: list[tuple[timedelta, int, Act]] = []
        self._numbers = count()

    def add(self, at: timedelta, act: Act) -> None:
        heappush(self._acts, (at, next(self._numbers), act))

    def run(self) -> Iterator[tuple[timedelta, Command]]:
        """Each command with its moment; an act may add others, of its own or a later moment."""
        while self._acts:
            at, _, act = heappop(self._acts)
            for command in act(at):
                yield at, command
