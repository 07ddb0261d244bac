"""Transfers beside the markets, as they are kept and as they count in the cash."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import TypeVar

import pytest

from kalshi.transfers import ExchangeTransfer
from ledger import transferring
from ledger.records import Transfer
from tests.told import NOON

T = TypeVar("T")


class Exchange:
    """Lists these transfers between its parts, and no others."""

    def __init__(self, *transfers: ExchangeTransfer) -> None:
        self._transfers = list(transfers)

    async def exchange_transfers(self) -> list[ExchangeTransfer]:
        return self._transfers

    async def none(self) -> list[ExchangeTransfer]:
        return []

    deposits = withdrawals = subaccount_transfers = none


def sent(amount: str, source: str, destination: str, status: str = "complete") -> ExchangeTransfer:
    return ExchangeTransfer(
        "transfer", source, destination, None, None, Decimal(amount), status, NOON
    )


def kept(*transfers: ExchangeTransfer) -> list[Transfer]:
    stages: list[Transfer] = []

    async def keep(read: list[Transfer]) -> None:
        stages.extend(read)

    async def asked(read: Awaitable[T], what: str) -> T | None:
        return await read

    asyncio.run(transferring.read(Exchange(*transfers), 0, keep, asked))
    return stages


@pytest.mark.parametrize(
    ("source", "destination", "status", "cash_flow"),
    [
        ("margined", "event_contract", "complete", "20"),
        ("event_contract", "margined", "complete", "-20"),
        ("event_contract", "event_contract", "complete", "0"),
        ("margined", "event_contract", "pending", "0"),
    ],
)
def test_only_what_is_done_moves_the_cash(source, destination, status, cash_flow):
    [stage] = kept(sent("20", source, destination, status))

    assert stage.amount == 20
    assert stage.cash_flow == Decimal(cash_flow)


def test_amount_is_as_precise_as_its_row():
    # The wire allows eighteen decimals; beside rows of six the cash would say more than they.
    [stage] = kept(sent("100.123456789123", "margined", "event_contract"))

    assert stage.amount == stage.cash_flow == Decimal("100.123457")
