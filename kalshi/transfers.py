"""
Money that moves without a trade: payments in and out, and transfers within the account.

Each decoder takes one parsed JSON object and raises DecodeError as those of `resources` do. The
words for a status are the exchange's, those too that it adds one day.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from kalshi.fields import Fields


@dataclass(frozen=True, slots=True)
class Payment:
    """
    A deposit or a withdrawal, in dollars.

    Args:
        status: "applied" once the balance contains it; else "pending", "failed" or "returned".
        method: how it was paid, such as "ach".
    """

    id: str
    status: str
    method: str
    amount: Decimal
    fee: Decimal
    created_at: datetime
    finalized_at: datetime | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "payment")
        return cls(
            id=fields.identifier("id"),
            status=fields.text("status"),
            method=fields.text_or_empty("type"),
            amount=fields.cents("amount_cents"),
            fee=fields.cents("fee_cents"),
            created_at=fields.seconds("created_ts"),
            finalized_at=fields.readable(fields.seconds, "finalized_ts"),
        )


@dataclass(frozen=True, slots=True)
class SubaccountTransfer:
    """
    Cash that went from one subaccount of the account to another, in dollars; 0 is the primary.

    Args:
        exchange_index: the shard of the exchange that it happened on.
    """

    id: str
    from_subaccount: int
    to_subaccount: int
    amount: Decimal
    created_at: datetime
    exchange_index: int | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "subaccount transfer")
        return cls(
            id=fields.identifier("transfer_id"),
            from_subaccount=fields.subaccount("from_subaccount"),
            to_subaccount=fields.subaccount("to_subaccount"),
            amount=fields.cents("amount_cents"),
            created_at=fields.seconds("created_ts"),
            exchange_index=fields.readable(fields.integer, "exchange_index"),
        )


@dataclass(frozen=True, slots=True)
class ExchangeTransfer:
    """
    Cash that went from one part of the exchange to another, in dollars.

    Between two shards the account's cash stays what it is; between two instances it does not.

    Args:
        source, destination: instances, "event_contract" or "margined".
        source_shard, destination_shard: None if not told.
        status: "complete" once it is done, else "pending".
    """

    id: str
    source: str
    destination: str
    source_shard: int | None
    destination_shard: int | None
    amount: Decimal
    status: str
    created_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "exchange transfer")
        return cls(
            id=fields.identifier("transfer_id"),
            source=fields.text("source"),
            destination=fields.text("destination"),
            source_shard=fields.readable(fields.integer, "source_exchange_shard"),
            destination_shard=fields.readable(fields.integer, "destination_exchange_shard"),
            amount=fields.dollars("amount"),
            status=fields.text("status"),
            created_at=fields.seconds("created_ts"),
        )
