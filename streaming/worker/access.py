"""What an account keeps from one connection to the exchange to the next."""

import httpx

from kalshi.environments import Environment
from kalshi.pacing import Pacer
from kalshi.transport import connections
from streaming.worker.counts import COUNTS


class Access:
    """
    An account's rate limits, its HTTP connections, and what the exchange has refused it.

    Made anew at each attempt, limits would count as refilled that are not.

    Attributes:
        follows_all: more markets were held than one subscription takes, so the prices of all are
            subscribed to.
    """

    def __init__(self) -> None:
        self.pacer = Pacer(paced=COUNTS.paced)
        self.follows_all = False
        self._http: httpx.AsyncClient | None = None

    def http(self, environment: Environment) -> httpx.AsyncClient:
        """Its connections to its environment; opened when first needed."""
        if self._http is None:
            self._http = connections(environment)
        return self._http

    async def close(self) -> None:
        """Let go of the connections; the limits stay."""
        http, self._http = self._http, None
        if http:
            await http.aclose()
