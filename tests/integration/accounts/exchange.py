"""A small exchange: it knows keys, verifies their signatures and answers what signing in asks."""

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kalshi.environments import Environment

BASE = "/trade-api/v2"


@dataclass(frozen=True)
class Key:
    """An API key as its owner has it."""

    api_key_id: str
    private_key: str


@dataclass(frozen=True)
class KnownKey:
    """An API key as the exchange has it."""

    api_key_id: str
    owner: str
    public_key: Ed25519PublicKey
    scopes: tuple[str, ...]
    subaccount: int | None
    may_list: bool
    may_read: bool


class Exchange:
    """Keys are issued for owners; a key lists all keys of its owner."""

    def __init__(self) -> None:
        self.keys: dict[str, KnownKey] = {}
        self.active = True
        self.clock_is_off = False
        self.paths: list[str] = []
        # Status and answer of calls that go wrong, by path below the version; bytes as they are.
        self.instead: dict[str, tuple[int, object]] = {}
        # Called before positions are answered: the last step of a check.
        self.on_positions: Callable[[], object] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # Looks for the end often: a test waits for it.
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def issue_key(
        self,
        owner: str,
        *,
        scopes: Iterable[str] = ("read",),
        subaccount: int | None = None,
        may_list: bool = True,
        may_read: bool = True,
    ) -> Key:
        private_key = Ed25519PrivateKey.generate()
        api_key_id = str(uuid.uuid4())
        self.keys[api_key_id] = KnownKey(
            api_key_id,
            owner,
            private_key.public_key(),
            tuple(scopes),
            subaccount,
            may_list,
            may_read,
        )
        pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Key(api_key_id, pem.decode())

    def environment(self, name: str) -> Environment:
        port = self._server.server_port
        return Environment(
            name=name,
            api_base=f"http://127.0.0.1:{port}{BASE}",
            ws_url=f"ws://127.0.0.1:{port}/trade-api/ws/v2",
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, query: str, headers: dict[str, str]) -> tuple[int, object]:
        self.paths.append(path)
        if (wrong := self.instead.get(path.removeprefix(BASE))) is not None:
            return wrong
        if path == f"{BASE}/exchange/status":
            return 200, {"exchange_active": self.active, "trading_active": self.active}
        if self.clock_is_off:
            return 401, {"error": {"code": "header_timestamp_expired"}}
        key = self._signer(path, headers)
        if key is None:
            return 401, {"error": {"code": "authentication_error"}}
        if path == f"{BASE}/api_keys" and key.may_list:
            own = (known for known in self.keys.values() if known.owner == key.owner)
            return 200, {"api_keys": [_record(known) for known in own]}
        asked = int(parse_qs(query).get("subaccount", ["0"])[0])
        if (
            path == f"{BASE}/portfolio/positions"
            and key.may_read
            and asked == (key.subaccount or 0)
        ):
            self.on_positions()
            return 200, {"market_positions": [], "event_positions": [], "cursor": ""}
        if path == f"{BASE}/portfolio/subaccounts/balances" and key.may_read:
            # Of the whole account, unless the key is locked to one.
            seen = (0, 1) if key.subaccount is None else (key.subaccount,)
            rows = [{"subaccount_number": each, "balance": "1.00"} for each in seen]
            return 200, {"subaccount_balances": rows}
        return 403, {"error": {"code": "forbidden"}}

    def _signer(self, path: str, headers: dict[str, str]) -> KnownKey | None:
        key = self.keys.get(headers["KALSHI-ACCESS-KEY"])
        timestamp = headers["KALSHI-ACCESS-TIMESTAMP"]
        assert abs(time.time() - int(timestamp) / 1000) < 5
        if key is None:
            return None
        try:
            key.public_key.verify(
                base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]),
                f"{timestamp}GET{path}".encode(),
            )
        except InvalidSignature:
            return None
        return key

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.upper(): value for name, value in self.headers.items()}
                status, answer = exchange.answer(parts.path, parts.query, headers)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                # Some who ask have hung up meanwhile.
                with suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _record(key: KnownKey) -> dict[str, object]:
    record: dict[str, object] = {
        "api_key_id": key.api_key_id,
        "name": f"{key.owner}'s key",
        "scopes": list(key.scopes),
    }
    return record if key.subaccount is None else {**record, "subaccount": key.subaccount}
