"""
Who may see what: keys and their scopes, and a member's limits.
"""

from sandbox.account import ApiKey, Portfolio
from sandbox.exchange import Exchange
from sandbox.limits import Tier
from sandbox.rest.query import Query, forbidden, integer, not_found
from sandbox.wire import Json


def require_scope(key: ApiKey, *scopes: str) -> None:
    """Raise Rejected (403) unless the key has one of the scopes."""
    if not set(scopes) & set(key.scopes):
        raise forbidden("the API key lacks the scope")


def require_all_subaccounts(key: ApiKey) -> None:
    """Raise Rejected (403) for a key of one subaccount, where no subaccount can be named."""
    if key.subaccount is not None:
        raise forbidden("the API key is restricted to a subaccount")


def portfolio(exchange: Exchange, key: ApiKey, query: Query) -> Portfolio:
    """The subaccount a query names, the primary one or the key's own when it names none."""
    number = integer(query, "subaccount")
    number = (key.subaccount or 0) if number is None else number
    if key.subaccount is not None and number != key.subaccount:
        raise forbidden("the API key is restricted to another subaccount")
    found = exchange.accounts[key.user_id].portfolios.get(number)
    if found is None:
        raise not_found()
    return found


def portfolios(exchange: Exchange, key: ApiKey, query: Query) -> list[Portfolio]:
    """The subaccount a query names, or all that the key may see."""
    if key.subaccount is not None or query.get("subaccount"):
        return [portfolio(exchange, key, query)]
    return list(exchange.accounts[key.user_id].portfolios.values())


def api_keys(exchange: Exchange, key: ApiKey) -> Json:
    """GET /api_keys: all keys of the member."""
    require_scope(key, "read")
    keys = exchange.accounts[key.user_id].keys
    return {"api_keys": [_api_key(each) for each in keys.values()]}


def _api_key(key: ApiKey) -> Json:
    shape: Json = {"api_key_id": key.api_key_id, "name": key.name, "scopes": list(key.scopes)}
    if key.subaccount is not None:
        shape["subaccount"] = key.subaccount
    return shape


def account_limits(key: ApiKey, tier: Tier) -> Json:
    """GET /account/limits."""
    require_scope(key, "read")
    return {
        "usage_tier": tier.name,
        "read": {"refill_rate": tier.read_rate, "bucket_capacity": tier.read_capacity},
        "write": {"refill_rate": tier.write_rate, "bucket_capacity": tier.write_capacity},
        "grants": [],
    }
