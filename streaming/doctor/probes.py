"""The examination's hands: what is asked of settings, exchange, keys. The database's: `rows.py`."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from django.conf import settings
from django.db import ProgrammingError

from accounts import credentials, key_check
from accounts.errors import (
    ClockSkewed,
    CredentialUnusable,
    ExchangeUnavailable,
    KeyRefused,
    KeyScope,
)
from kalshi import reach, socket
from kalshi.environments import Environment
from kalshi.errors import KalshiError, RateLimited, RequestRejected, ServerFailed, TurnedAway
from positions.connection_words import TROUBLES
from postgres.errors import DATABASE_TROUBLE
from postgres.threads import DatabaseThread
from streaming.doctor import rows, verdicts
from streaming.doctor.examination import Check
from streaming.doctor.findings import Finding, ok, unknown, wrong

REST_SECONDS = 8.0
SOCKET_SECONDS = 8.0
KEYS_SECONDS = 60.0
# The exchange counts requests by account, and most keys here may be of one.
KEYS_AT_ONCE = 4

_VARIABLES = {
    "production": ("KALSHI_API_BASE", "KALSHI_WS_URL"),
    "demo": ("KALSHI_DEMO_API_BASE", "KALSHI_DEMO_WS_URL"),
    "sandbox": ("SANDBOX_API_BASE", "SANDBOX_WS_URL"),
}
SANDBOX_ELSEWHERE = (
    "make demo tells only what it starts. From elsewhere set SANDBOX_API_BASE and SANDBOX_WS_URL, "
    "as in .env.example."
)


def all_checks() -> list[Check]:
    """Everything there is to look at."""
    environments: dict[str, Environment] = settings.KALSHI_ENVIRONMENTS
    return [
        Check("settings", 5.0, _settings),
        *rows.checks(),
        *(
            check
            for environment in environments.values()
            for check in (
                Check(f"{environment.name}, REST", REST_SECONDS + 2, _rest(environment)),
                Check(f"{environment.name}, WebSocket", SOCKET_SECONDS, _socket(environment)),
            )
        ),
        Check("keys", KEYS_SECONDS, _keys),
    ]


async def _settings() -> AsyncGenerator[Finding, None]:
    file = Path(os.environ.get("ENV_FILE") or settings.BASE_DIR / ".env")
    root = Path(settings.STATIC_ROOT)

    def look() -> list[Finding]:
        is_file = file.is_file()
        mode = file.stat().st_mode if is_file else 0
        return verdicts.settings_findings(
            file=str(file) if is_file else None,
            is_open_to_others=bool(mode & (stat.S_IRWXG | stat.S_IRWXO)),
            is_debug=settings.DEBUG,
            has_static_files=root.is_dir() and any(root.iterdir()),
        )

    for finding in await asyncio.to_thread(look):
        yield finding


def _rest(environment: Environment) -> Callable[[], AsyncGenerator[Finding, None]]:
    async def find() -> AsyncGenerator[Finding, None]:
        try:
            reached = await reach.ask(environment, timeout_seconds=REST_SECONDS)
        except KalshiError as error:
            yield _unreached(environment, "REST", error)
        else:
            for finding in verdicts.rest_findings(environment.name, reached):
                yield finding

    return find


def _socket(environment: Environment) -> Callable[[], AsyncGenerator[Finding, None]]:
    async def find() -> AsyncGenerator[Finding, None]:
        try:
            await socket.knock(environment)
        except KalshiError as error:
            yield _unreached(environment, "WebSocket", error)
        else:
            yield ok(f"{environment.name}, WebSocket", "answers.")

    return find


def _unreached(environment: Environment, way: str, error: KalshiError) -> Finding:
    why = reach.obstacle(error)
    what = f"{error} ({why})" if why else str(error)
    rest, ws = _VARIABLES[environment.name]
    variable = rest if way == "REST" else ws
    subject = f"{environment.name}, {way}"
    match error:
        case ServerFailed() | RateLimited():
            # It is there.
            return unknown(subject, what, "Wait, and look again.")
        case TurnedAway():
            remedy = "See what stands between this machine and the exchange: a firewall, a proxy."
        case RequestRejected():
            remedy = f"See that {variable} is right, its path too."
        case _ if environment.name == "sandbox":
            remedy = "Start it with make demo, or manage.py run_sandbox_exchange."
        case _:
            remedy = f"See that this machine may reach it (EXCHANGE_PROXY), and {variable}."
    return wrong(subject, what, remedy)


async def _keys() -> AsyncGenerator[Finding, None]:
    database = DatabaseThread(rows.PATIENCE)
    try:
        try:
            stored = await database.run(rows.stored_keys)
        except DATABASE_TROUBLE:
            yield unknown("keys", "the database, where they are, can't be reached.")
            return
        except ProgrammingError as error:
            yield rows.unreadable("keys", error)
            return
        if not stored:
            yield ok("keys", "none is stored yet: sign in to the page with one.")
        turns = asyncio.Semaphore(KEYS_AT_ONCE)
        asked = [asyncio.create_task(_key(each, database, turns)) for each in stored]
        try:
            for each in asyncio.as_completed(asked):
                yield await each
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await database.close()


async def _key(key: rows.StoredKey, database: DatabaseThread, turns: asyncio.Semaphore) -> Finding:
    subject = f"key {key.credential_id} ({key.label})"
    anew = "Sign in to the page with a good key, or delete this one in the admin."
    try:
        opened = await database.run(credentials.reveal, key.credential_id)
        async with turns:
            checked = await key_check.ask(opened.environment, opened.api_key_id, opened.key)
    except DATABASE_TROUBLE:
        return unknown(subject, "the database can't be reached.")
    except CredentialUnusable as error:
        if error.reason == "environment_missing" and key.environment == "sandbox":
            return unknown(subject, "where its sandbox is, is not known here.", SANDBOX_ELSEWHERE)
        return wrong(subject, str(error), TROUBLES[error.reason].remedy or anew)
    except (KeyRefused, KeyScope) as error:
        return wrong(subject, str(error), anew)
    except ClockSkewed as error:
        return wrong(subject, str(error), verdicts.NTP)
    except ExchangeUnavailable as error:
        return unknown(subject, str(error))
    return verdicts.key_finding(
        subject, checked, was_refused=key.is_refused, account_id=key.account_id
    )
