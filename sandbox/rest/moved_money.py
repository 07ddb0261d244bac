"""
Money that a member moved: deposits, withdrawals, and what went between subaccounts and exchanges.
"""

from typing import TypeVar

from sandbox import wire
from sandbox.account import ApiKey
from sandbox.exchange import Exchange
from sandbox.rest import members
from sandbox.rest.query import Query, limit, page
from sandbox.transfers import Direction, InstanceTransfer, SubaccountTransfer, Transfer
from sandbox.wire import Json

Moved = TypeVar("Moved", Transfer, SubaccountTransfer, InstanceTransfer)

_MOST = 500


def deposits(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/deposits: newest first."""
    shown, after = _page(_of(exchange, key, "deposit"), query, "GetDeposits", _MOST)
    return {"cursor": after, "deposits": [_transfer(each) for each in shown]}


def withdrawals(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/withdrawals: newest first."""
    shown, after = _page(_of(exchange, key, "withdrawal"), query, "GetWithdrawals", _MOST)
    return {"cursor": after, "withdrawals": [_transfer(each) for each in shown]}


def subaccount_transfers(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/subaccounts/transfers: newest first, in whole cents."""
    _check(key)
    rows = exchange.accounts[key.user_id].subaccount_transfers
    shown, after = _page(rows, query, "GetSubaccountTransfers", 1000)
    return {"cursor": after, "transfers": [_subaccount_transfer(each) for each in shown]}


def instance_transfers(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/intra_exchange_instance_transfers: newest first, in dollars."""
    _check(key)
    rows = exchange.accounts[key.user_id].instance_transfers
    shown, after = _page(rows, query, "GetIntraExchangeInstanceTransfers", _MOST)
    body: Json = {"transfers": [_instance_transfer(each) for each in shown]}
    # Here a last page has no cursor at all.
    return {**body, "cursor": after} if after else body


def _check(key: ApiKey) -> None:
    members.require_scope(key, "read")
    members.require_all_subaccounts(key)


def _of(exchange: Exchange, key: ApiKey, direction: Direction) -> list[Transfer]:
    _check(key)
    return [
        transfer
        for portfolio in exchange.accounts[key.user_id].portfolios.values()
        for transfer in portfolio.transfers.values()
        if transfer.direction == direction
    ]


def _page(rows: list[Moved], query: Query, operation: str, most: int) -> tuple[list[Moved], str]:
    size = limit(query, operation, maximum=most)
    return page(sorted(rows, key=_order, reverse=True), _order, query, size, newest=True)


def _order(row: Transfer | SubaccountTransfer | InstanceTransfer) -> str:
    return f"{row.created_at.timestamp():017.6f} {row.transfer_id}"


def _transfer(transfer: Transfer) -> Json:
    shape: Json = {
        "id": transfer.transfer_id,
        "status": transfer.status,
        "type": transfer.method,
        "amount_cents": transfer.amount_cents,
        "fee_cents": transfer.fee_cents,
        "created_ts": wire.seconds(transfer.created_at),
    }
    if transfer.finalized_at is not None:
        shape["finalized_ts"] = wire.seconds(transfer.finalized_at)
    return shape


def _subaccount_transfer(moved: SubaccountTransfer) -> Json:
    return {
        "transfer_id": moved.transfer_id,
        "from_subaccount": moved.source,
        "to_subaccount": moved.destination,
        "amount_cents": moved.amount_cents,
        "created_ts": wire.seconds(moved.created_at),
        "exchange_index": 0,
    }


def _instance_transfer(moved: InstanceTransfer) -> Json:
    return {
        "transfer_id": moved.transfer_id,
        "source": moved.source,
        "destination": moved.destination,
        "source_exchange_shard": 0,
        "destination_exchange_shard": 0,
        "amount": wire.price(moved.dollars),
        "status": "complete",
        "created_ts": wire.seconds(moved.created_at),
    }
