"""
Ask the exchange about a key: whether it accepts it, whose it is, and what it may do.

Whoever can sign with a key holds the account at the exchange that the key belongs to.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import sign_in_load
from accounts.encryption import Secret
from accounts.errors import (
    ClockSkewed,
    ExchangeMaintenance,
    ExchangeUnavailable,
    InvalidPrivateKey,
    KeyRefused,
    KeyScope,
    UnknownEnvironment,
)
from kalshi import errors as kalshi_errors
from kalshi.environments import Environment
from kalshi.rest import Client
from kalshi.rows import Rows
from kalshi.signing import InvalidKey, SigningKey

logger = logging.getLogger(__name__)

CHECK_TIMEOUT_SECONDS = 20
# The answer only says why there would be no other.
STATUS_SECONDS = 2.0
# Of a key whose account asks too much at the moment, by another program perhaps.
TRIES = 3
PRIMARY_SUBACCOUNT = 0
LOGGED_ROWS = 20


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """
    What the exchange says of a key that may read its portfolio.

    `listed_key_ids` are those of the key's whole account, its own included; None if the key may
    not list them. `scopes` is empty when the exchange does not tell.
    """

    subaccount: int
    listed_key_ids: frozenset[str] | None
    scopes: tuple[str, ...]

    @property
    def may_trade(self) -> bool:
        """Whether it may do more than read; true when the exchange does not tell."""
        return not self.scopes or any(
            scope == "write" or scope.startswith("write::") for scope in self.scopes
        )


async def check(environment: str, api_key_id: str, private_key: Secret) -> CheckedKey:
    """
    What the exchange says of a key.

    Args:
        environment: "production", "demo" or "sandbox".
        private_key: the key as PEM text.
    Raises:
        UnknownEnvironment, InvalidPrivateKey, KeyRefused, KeyScope, ExchangeUnavailable,
        ExchangeMaintenance, ClockSkewed: as their messages say.
        Busy: too many sign in at the moment.
    """
    exchange = exchange_of(environment)
    key = await sign_in_load.KEYS.in_thread(lambda: _signing_key(private_key))
    async with sign_in_load.CHECKS.turn_async():
        return await ask(exchange, api_key_id, key)


def exchange_of(environment: str) -> Environment:
    """
    Where the exchange of that name is.

    Raises:
        UnknownEnvironment: this server is not configured for it.
    """
    environments: dict[str, Environment] = settings.KALSHI_ENVIRONMENTS
    try:
        return environments[environment]
    except KeyError:
        raise UnknownEnvironment from None


def _signing_key(private_key: Secret) -> SigningKey:
    try:
        return SigningKey.from_pem(private_key.reveal())
    except InvalidKey as error:
        raise InvalidPrivateKey(str(error)) from None


async def ask(exchange: Environment, api_key_id: str, key: SigningKey) -> CheckedKey:
    """The same of a key that is open already, without a turn."""
    try:
        async with (
            asyncio.timeout(CHECK_TIMEOUT_SECONDS),
            Client(exchange, api_key_id, key) as client,
        ):
            return await _answer_in_turn(client, api_key_id)
    except kalshi_errors.KeyRefused as error:
        raise KeyRefused(str(error)) from error
    except kalshi_errors.ScopeRefused as error:
        raise KeyScope from error
    except kalshi_errors.ClockSkew as error:
        raise ClockSkewed(str(error)) from error
    except kalshi_errors.RateLimited as error:
        raise ExchangeUnavailable(
            f"{error} Another program may use the account's limits: try again in a while."
        ) from error
    except kalshi_errors.DecodeError as error:
        raise ExchangeUnavailable(
            "The exchange answers what this version does not understand. See whether there is a "
            "newer one."
        ) from error
    except (
        kalshi_errors.TurnedAway,
        kalshi_errors.AnswerTooLarge,
        kalshi_errors.ServerFailed,
        kalshi_errors.RequestRejected,
    ) as error:
        raise ExchangeUnavailable(f"{error} Try again in a while.") from error
    except (kalshi_errors.KalshiError, TimeoutError) as error:
        raise ExchangeUnavailable from error


async def _answer_in_turn(client: Client, api_key_id: str) -> CheckedKey:
    for _ in range(TRIES - 1):
        try:
            return await _answer(client, api_key_id)
        except kalshi_errors.RateLimited:
            # The next request waits by itself.
            logger.info("too many requests, asked once more")
    return await _answer(client, api_key_id)


async def _answer(client: Client, api_key_id: str) -> CheckedKey:
    with suppress(TimeoutError):
        async with asyncio.timeout(STATUS_SECONDS):
            if await client.outage():
                raise ExchangeMaintenance
    try:
        records = await client.api_keys()
    except kalshi_errors.ScopeRefused:
        return CheckedKey(await _read_unlisted(client), listed_key_ids=None, scopes=())
    _log_left_out(records)
    listed = frozenset({api_key_id, *(record.api_key_id for record in records)})
    own = next((record for record in records if record.api_key_id == api_key_id), None)
    if own is None:
        # Its own row can't be read, say.
        return CheckedKey(await _read_unlisted(client), listed, scopes=())
    subaccount = PRIMARY_SUBACCOUNT if own.subaccount is None else own.subaccount
    await _read_portfolio(client, subaccount)
    return CheckedKey(subaccount, listed, own.scopes)


async def _read_unlisted(client: Client) -> int:
    """The subaccount that a key may read of which no list tells it: it may be locked to one."""
    try:
        await _read_portfolio(client, PRIMARY_SUBACCOUNT)
    except kalshi_errors.ScopeRefused:
        # Of one that is locked these are its own alone.
        seen = {row.subaccount for row in await client.subaccount_balances()}
        if len(seen) != 1:
            raise
        (locked_to,) = seen
        await _read_portfolio(client, locked_to)
        return locked_to
    return PRIMARY_SUBACCOUNT


async def _read_portfolio(client: Client, subaccount: int) -> None:
    # The proof that it may be read. The balance would tell as well, but may be asked only once a
    # second, and the worker wants it.
    _log_left_out(await client.positions(subaccount))


def _log_left_out(rows: Rows[Any]) -> None:  # Any: of whatever kind
    # One odd row is no reason to refuse the key. Of many the first will do.
    for row in rows.left_out[:LOGGED_ROWS]:
        logger.warning("row not understood", extra={"kind": row.kind, "reason": row.reason})
