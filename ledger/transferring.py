"""Money that comes and goes beside the markets: the exchange's four lists, each by itself."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from kalshi.rest import Client
from kalshi.transfers import ExchangeTransfer, SubaccountTransfer
from ledger.records import Transfer, stages_of
from positions.decimal_text import to_six_decimals
from positions.pnl import ZERO

T = TypeVar("T")

# Where event contracts are traded; perpetuals have an instance of their own.
_OURS = "event_contract"
_DONE = "complete"


class Try(Protocol):
    """Asks for something that only helps; None where it can't be had."""

    def __call__(self, read: Awaitable[T], what: str) -> Awaitable[T | None]:
        """The answer, if there is one."""


async def read(
    rest: Client,
    subaccount: int,
    keep: Callable[[list[Transfer]], Awaitable[None]],
    if_possible: Try,
) -> None:
    """
    Read all transfers of a subaccount, and keep their stages.

    Deposits and withdrawals are those of the primary one. A key of one subaccount may list none.
    """
    stages: list[Transfer] = []
    if subaccount == 0:
        for paid in await if_possible(rest.deposits(), "deposits") or []:
            stages += stages_of(paid, "deposit")
        for paid in await if_possible(rest.withdrawals(), "withdrawals") or []:
            stages += stages_of(paid, "withdrawal")
        for sent in await if_possible(rest.exchange_transfers(), "exchange transfers") or []:
            stages += _of_exchange(sent)
    for moved in await if_possible(rest.subaccount_transfers(), "subaccount transfers") or []:
        stages += _of_subaccount(moved, subaccount)
    if stages:
        await keep(stages)


def _of_subaccount(moved: SubaccountTransfer, ours: int) -> list[Transfer]:
    sign = (moved.to_subaccount == ours) - (moved.from_subaccount == ours)
    if not sign:
        return []
    other = moved.from_subaccount if sign > 0 else moved.to_subaccount
    return [
        Transfer(
            moved.id,
            "subaccount",
            moved.created_at,
            f"{'from' if sign > 0 else 'to'} subaccount {other}",
            moved.amount,
            ZERO,
            "applied",
            sign * moved.amount,
        )
    ]


def _of_exchange(sent: ExchangeTransfer) -> list[Transfer]:
    # Between two shards of one instance the account's cash stays what it is.
    sign = (sent.destination == _OURS) - (sent.source == _OURS)
    is_done = sent.status == _DONE
    # As precise as it is kept: else the cash would say more than its row can hold.
    amount = to_six_decimals(sent.amount)
    flow = sign * amount if is_done else ZERO
    return [
        Transfer(
            sent.id,
            "exchange",
            sent.created_at,
            f"{sent.source} to {sent.destination}",
            amount,
            ZERO,
            "applied" if is_done else sent.status,
            flow,
        )
    ]
