"""Who may open a stream, answered in time even when the database does not answer."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import OperationalError
from django.http import HttpRequest

from accounts import sessions, sight
from accounts.models import Session
from accounts.sight import Sight
from postgres.threads import DatabaseThreads

THREADS = 4
# So many are looked at together: after a start of the server all its clients come at once.
TOGETHER = 100
# All who ask at once share the threads. When the database is silent, those who wait for a thread
# are told so no later than those who have one.
ANSWER_SECONDS = 2.0

Looked = tuple[Session, Sight] | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: HttpRequest
    answer: asyncio.Future[Looked]


class Admission:
    """
    Looks at the sessions of those who want a stream.

    In threads of its own: behind the hub's work on one account a new client would wait, and a
    hundred new clients would hold up everybody's figures.
    """

    def __init__(self) -> None:
        self._database = DatabaseThreads(THREADS)
        self._waiting: deque[_Waiting] = deque()
        # Held: the event loop keeps no task.
        self._looks: set[asyncio.Task[None]] = set()

    async def look(
        self, request: HttpRequest, gone: asyncio.Future[object] | None = None
    ) -> Looked:
        """
        The request's session and what it sees, within ANSWER_SECONDS; None without a session.

        Args:
            gone: done once nobody waits for it any more.
        Raises:
            CancelledError: nobody does.
            OperationalError: the database did not answer in time; or what else the look raises.
        """
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._begin()

        def leave(_: asyncio.Future[object]) -> None:
            waiting.answer.cancel()

        if gone:
            gone.add_done_callback(leave)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await waiting.answer
        except TimeoutError:
            raise OperationalError("the session could not be looked at in time") from None
        finally:
            if gone:
                gone.remove_done_callback(leave)

    async def stop(self) -> None:
        """Let go of the database."""
        await self._database.close()

    def _begin(self) -> None:
        while self._waiting and len(self._looks) < THREADS:
            # Whoever has gone, or was told that it takes too long, is not looked at.
            together: list[_Waiting] = []
            while self._waiting and len(together) < TOGETHER:
                waiting = self._waiting.popleft()
                if not waiting.answer.done():
                    together.append(waiting)
            if together:
                look = asyncio.create_task(self._look(together))
                self._looks.add(look)
                look.add_done_callback(self._ended)

    def _ended(self, look: asyncio.Task[None]) -> None:
        self._looks.discard(look)
        self._begin()

    async def _look(self, together: Sequence[_Waiting]) -> None:
        try:
            answers = await self._database.run(_look, [each.request for each in together])
        except Exception as error:  # whatever it is, it is theirs who asked
            for each in together:
                if not each.answer.done():
                    each.answer.set_exception(error)
        else:
            for each, answer in zip(together, answers, strict=True):
                if not each.answer.done():
                    each.answer.set_result(answer)


def _look(requests: Sequence[HttpRequest]) -> list[Looked]:
    found = sessions.of_requests(requests)
    seen = sight.of_living({each.pk: each for each in found if each}.values())
    return [None if each is None else (each, seen[each.pk]) for each in found]
