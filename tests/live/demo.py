"""The demo account that the live tests ask with, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kalshi.environments import Environment
from kalshi.signing import InvalidKey, SigningKey

API_BASE = "https://external-api.demo.kalshi.co/trade-api/v2"
WS_URL = "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"
CHANNELS = ("ticker", "market_positions", "fill", "market_lifecycle_v2")


class Incomplete(Exception):
    """The environment names an account that cannot be used; the message says why."""


@dataclass(frozen=True)
class DemoAccount:
    """All that asking takes."""

    environment: Environment
    key_id: str
    key: SigningKey


def account(variables: Mapping[str, str] = os.environ) -> DemoAccount | None:
    """
    The account that the environment names, None if it names none.

    Raises:
        Incomplete: half of the key is missing, it is no key, or an address or proxy is none.
    """
    key_id = variables.get("KALSHI_DEMO_KEY_ID", "")
    path = variables.get("KALSHI_DEMO_PRIVATE_KEY_FILE", "")
    if not key_id and not path:
        return None
    if not key_id or not path:
        missing = "KALSHI_DEMO_PRIVATE_KEY_FILE" if key_id else "KALSHI_DEMO_KEY_ID"
        raise Incomplete(f"{missing} is missing.")
    try:
        environment = Environment(
            "demo",
            variables.get("KALSHI_DEMO_API_BASE") or API_BASE,
            variables.get("KALSHI_DEMO_WS_URL") or WS_URL,
            variables.get("EXCHANGE_PROXY") or None,
        )
        key = SigningKey.from_pem(Path(path).read_text())
    except InvalidKey as error:
        raise Incomplete(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise Incomplete(str(error)) from error
    return DemoAccount(environment, key_id, key)
