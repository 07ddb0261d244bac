import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kalshi.environments import Environment
from kalshi.signing import SigningKey

PAYLOADS = Path(__file__).parents[2] / "payloads" / "kalshi"


def recorded(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def frames() -> dict[str, Any]:
    """The exchange's WebSocket frames by name."""
    return recorded("frames")


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """The exchange's REST answers by name."""
    return recorded("answers")


@pytest.fixture(scope="session")
def refusals() -> dict[str, Any]:
    """The exchange's error bodies by cause."""
    return recorded("refusals")


@pytest.fixture(scope="session")
def unchanged() -> dict[str, Any]:
    return {name: recorded(name) for name in ("frames", "answers", "refusals")}


@pytest.fixture(autouse=True)
def what_is_shared_stays_as_it_is(frames, answers, refusals, unchanged) -> Iterator[None]:
    """What a test changes of it all later ones would find, whichever they are."""
    yield
    assert {"frames": frames, "answers": answers, "refusals": refusals} == unchanged


@pytest.fixture(scope="session")
def pem() -> Callable[[str], str]:
    """A key file's text by name."""
    return lambda name: (PAYLOADS / "keys" / f"{name}.pem").read_text()


@pytest.fixture(scope="session")
def signatures() -> dict[str, Any]:
    """What OpenSSL signed with the keys, and the request it signed."""
    return json.loads((PAYLOADS / "keys" / "signatures.json").read_text())


@pytest.fixture(scope="session")
def key(pem: Callable[[str], str]) -> SigningKey:
    return SigningKey.from_pem(pem("ed25519"))


@pytest.fixture
def environment() -> Environment:
    return Environment(
        "demo",
        "https://exchange.example/trade-api/v2",
        "wss://stream.exchange.example/trade-api/ws/v2",
    )
