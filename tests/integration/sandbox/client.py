"""A client of the sandbox that shares none of its code or the product's in what it does."""

import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.asyncio.client import ClientConnection

from sandbox.keys import Credentials
from sandbox.server import Sandbox
from tests.unit.sandbox.published import frame
from tests.waiting import PATIENCE_SECONDS, START_SECONDS


def signed(url: str, key_id: str, private_key: str, *, skew_seconds: float = 0.0) -> dict[str, str]:
    """Headers that sign a GET of the address."""
    timestamp = str(int((time.time() + skew_seconds) * 1000))
    text = f"{timestamp}GET{urlsplit(url).path}".encode()
    key = load_pem_private_key(private_key.encode(), password=None)
    if isinstance(key, RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        signature = key.sign(text, pss, hashes.SHA256())
    else:
        signature = key.sign(text)
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": timestamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


async def get(
    sandbox: Sandbox, path: str, credentials: Credentials | None = None, **headers: str
) -> httpx.Response:
    """A signed answer; `headers` replace those of the signature."""
    signer = credentials or sandbox.credentials
    url = sandbox.api_base + path
    own = signed(url, signer.api_key_id, signer.private_key)
    replaced = {name.replace("_", "-").upper(): value for name, value in headers.items()}
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        return await client.get(url, headers=own | replaced)


def connect(url: str, key_id: str, private_key: str) -> websockets.connect:
    return websockets.connect(
        url,
        additional_headers=signed(url, key_id, private_key),
        # Hundreds may be opened at once.
        open_timeout=START_SECONDS,
    )


async def subscribe(socket: ClientConnection, *channels: str, **params: Any) -> None:
    """Subscribe and take the acknowledgements."""
    command = {"id": 1, "cmd": "subscribe", "params": {"channels": channels, **params}}
    await socket.send(json.dumps(command))
    for _ in channels:
        acknowledged = await receive(socket)
        assert acknowledged["type"] == "subscribed"


async def receive(socket: ClientConnection) -> dict[str, Any]:
    """The next frame, once it is known to have the published shape."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return frame(str(await socket.recv()))
