"""
The attackers at the door while `attack.py` measures.

    python -m benchmarks.crowd PORT SECONDS

They come from many addresses of the loopback network, so that the throttle, which counts by
address, does not end the attack at once. Prints as JSON what each kind was answered, by status. A
process of its own, bounded in time and number.
"""

import asyncio
import base64
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SLOW_CONNECTIONS = 300
HUGE_HEADERS_AT_ONCE = 4
SIGN_INS_AT_ONCE = 64
ANSWER_SECONDS = 40

_TOKEN = "a" * 32
_Attack = Callable[[int], Awaitable[str]]


def _address() -> str:
    return f"127.{random.randint(1, 250)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


@asynccontextmanager
async def _connection(
    port: int, source: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield reader, writer
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> str:
    line = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
    return line.split()[1].decode() if line else "closed"


def _post(path: str, content_type: str, body: bytes) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nCookie: csrftoken={_TOKEN}\r\n"
        f"X-CSRFToken: {_TOKEN}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def _sign_in(private_key: str) -> bytes:
    asked = {"environment": "sandbox", "api_key_id": "a-b-c", "private_key": private_key}
    return _post("/api/v1/account/authenticate", "application/json", json.dumps(asked).encode())


def _small_key() -> str:
    """A good key that no exchange knows."""
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def _huge_key() -> str:
    """What looks like an RSA key of 12,288 bits, which would take many seconds to check."""
    bits = [12288, 17, 12280, 6144, 6144, 6144, 6144, 6144]
    numbers = [0, *(random.getrandbits(size) | 1 | 1 << (size - 1) for size in bits)]
    der = _der(0x30, b"".join(_der(0x02, _bytes(number)) for number in numbers))
    body = base64.b64encode(der).decode()
    # No key of anybody's: random numbers that do not even belong together.
    label = "RSA PRIVATE KEY"
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def _bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def _requests() -> dict[str, tuple[bytes, bool]]:
    """What is asked by kind, and whether all of it comes from one address."""
    password = b"username=admin&password=wrong&csrfmiddlewaretoken=" + _TOKEN.encode()
    form = "application/x-www-form-urlencoded"
    return {
        "unknown keys, many addresses": (_sign_in(_small_key()), False),
        "keys of 12,288 bits, one address": (_sign_in(_huge_key()), True),
        "passwords, many addresses": (_post("/admin/login/", form, password), False),
    }


def _asking(request: bytes, source: str | None) -> _Attack:
    async def ask(port: int) -> str:
        async with _connection(port, source or _address()) as (reader, writer):
            writer.write(request)
            return await _status(reader)

    return ask


async def _huge_headers(port: int) -> str:
    async with _connection(port, _address()) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        with suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"x" * 65536)
                await writer.drain()
        return await _status(reader)


async def _slow(port: int) -> str:
    async with _connection(port, _address()) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        answer = asyncio.create_task(_status(reader))
        while not answer.done():
            writer.write(b"X: x\r\n")
            await asyncio.wait([answer], timeout=1)
        return await answer


async def attack(port: int, seconds: float) -> dict[str, Counter[str]]:
    """All kinds at once, for so long; what each was answered."""
    ends_at = monotonic() + seconds
    answers: dict[str, Counter[str]] = {}

    async def repeat(name: str, once: _Attack) -> None:
        told = answers.setdefault(name, Counter())
        while monotonic() < ends_at:
            try:
                told[await once(port)] += 1
            except (OSError, TimeoutError) as error:
                told[type(error).__name__] += 1

    kinds: list[tuple[str, _Attack, int]] = [
        ("slow heads", _slow, SLOW_CONNECTIONS),
        ("heads of 4 MB", _huge_headers, HUGE_HEADERS_AT_ONCE),
    ]
    for name, (request, is_from_one) in _requests().items():
        kinds.append(
            (name, _asking(request, _address() if is_from_one else None), SIGN_INS_AT_ONCE)
        )
    await asyncio.gather(*(repeat(name, once) for name, once, n in kinds for _ in range(n)))
    return answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(attack(int(sys.argv[1]), float(sys.argv[2])))))
