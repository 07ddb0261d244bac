"""Who may open a stream, answered in time even when the database does not answer."""

import asyncio

from django.db import OperationalError
from django.http import HttpRequest

from accounts import sessions, sight
from accounts.models import Session
from accounts.sight import Sight
from postgres.threads import DatabaseThreads

THREADS = 4
# All who ask at once share the threads. When the database is silent, those who wait for a thread
# are told so no later than those who have one.
ANSWER_SECONDS = 2.0


class Admission:
    """
    Looks at the sessions of those who want a stream.

    In threads of its own: behind the hub's work on one account a new client would wait, and a
    hundred new clients would hold up everybody's figures.
    """

    def __init__(self) -> None:
        self._database = DatabaseThreads(THREADS)

    async def look(self, request: HttpRequest) -> tuple[Session, Sight] | None:
        """
        The request's session and what it sees, within ANSWER_SECONDS; None without a session.

        Raises:
            OperationalError: the database did not answer in time; or what else the look raises.
        """
        look = asyncio.ensure_future(self._database.run(_look, request))
        try:
            await asyncio.wait([look], timeout=ANSWER_SECONDS)
            if not look.done():
                raise OperationalError("the session could not be looked at in time")
            return look.result()
        finally:
            # Not waited for: a look that has begun ends by itself.
            look.cancel()

    async def stop(self) -> None:
        """Let go of the database."""
        await self._database.close()


def _look(request: HttpRequest) -> tuple[Session, Sight] | None:
    session = sessions.of_request(request)
    return None if session is None else (session, sight.of(session))
