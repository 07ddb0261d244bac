"""What an account keeps from one connection to the exchange to the next."""

from time import monotonic

import httpx

from kalshi.environments import Environment
from kalshi.pacing import Pacer
from kalshi.transport import connections
from streaming.worker.counts import COUNTS

# Until names are tried again: there may be fewer by then.
NAMELESS_SECONDS = 3600.0


class Access:
    """
    An account's rate limits, its HTTP connections, and what the exchange has refused it.

    Made anew at each attempt, limits would count as refilled that are not.

    Attributes:
        names_refused_at: when the exchange last took no names of markets for their prices.
    """

    def __init__(self) -> None:
        self.pacer = Pacer(paced=COUNTS.paced)
        self.names_refused_at = float("-inf")
        self._http: httpx.AsyncClient | None = None

    @property
    def follows_all(self) -> bool:
        """Whether the next connection is to have the prices of all markets, none of them named."""
        return monotonic() < self.names_refused_at + NAMELESS_SECONDS

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
