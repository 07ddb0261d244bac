"""An exchange that tells anybody of its markets, and counts who asks."""

import threading
from collections import Counter

from tests.integration.accounts.exchange import BASE, Exchange


class PublicExchange(Exchange):
    """
    Answers by path, 404 for any other; holds those who ask back while its gate is closed.

    Attributes:
        at_once: how many were under way at most, of each market.
    """

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.has_asker = threading.Semaphore(0)
        self.at_once: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._counting = threading.Lock()
        super().__init__()

    def answer(self, path: str, query: str, headers: dict[str, str]) -> tuple[int, object]:
        assert not [name for name in headers if name.startswith("KALSHI")]
        below = path.removeprefix(BASE)
        ticker = next((part for part in below.split("/") if part.startswith("M-")), "")
        with self._counting:
            self.asked.append(f"{below}?{query}" if query else below)
            self._under_way[ticker] += 1
            self.at_once[ticker] = max(self.at_once[ticker], self._under_way[ticker])
        self.has_asker.release()
        self.gate.wait(20)
        with self._counting:
            self._under_way[ticker] -= 1
        told = self.answers.get(below, (404, {"error": {"code": "not_found"}}))
        return told if isinstance(told, tuple) else (200, told)

    def asked_for(self, ending: str) -> list[str]:
        """What was asked of calls whose path ends so."""
        return [each for each in self.asked if each.partition("?")[0].endswith(ending)]
