"""Somebody who opens the sandbox and follows the stream, without a browser."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

PATIENCE_SECONDS = 120


class Visitor:
    """One session at an address."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=10)

    def sign_in(self) -> None:
        """Open the sandbox."""
        self._http.get("/").raise_for_status()
        self._http.post(
            "/api/v1/account/authenticate",
            json={"environment": "sandbox"},
            headers={"X-CSRFToken": self._http.cookies["csrftoken"]},
        ).raise_for_status()

    def close(self) -> None:
        self._http.close()

    def snapshot(self) -> Any:  # Any: JSON
        """The first snapshot of a new stream."""
        with self._http.stream("GET", "/sse/positions") as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line.startswith("data:") and '"snapshot"' in line[:40]:
                    return json.loads(line.removeprefix("data:"))
        raise httpx.RemoteProtocolError("the stream ended before its snapshot")

    def live(self) -> Any:  # Any: JSON
        """A snapshot in which the account is live, or None."""
        told = self.snapshot()
        return told if told["connection"]["status"] == "live" and told["positions"] else None


def until(condition: Callable[[], Any], what: str) -> Any:
    """
    Ask again until it holds; its truthy answer.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    failure: object = None
    while time.monotonic() < deadline:
        try:
            if answer := condition():
                return answer
            failure = None
        except (httpx.HTTPError, KeyError) as error:
            failure = error
        time.sleep(0.25)
    raise TimeoutError(f"{what}: not within {PATIENCE_SECONDS} s ({failure})")
