"""
The commands about members: their money, their subaccounts, their keys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import cast, get_args

from sandbox import keys
from sandbox.command_fields import BadCommand, Fields, held_and_trading
from sandbox.fees import PRECISIONS
from sandbox.position import OutcomeSide
from sandbox.server import Sandbox
from sandbox.transfers import Direction, Method, TransferStatus

# What a command answers, if anything.
Answer = Mapping[str, str]
Perform = Callable[[Sandbox, Fields], Awaitable[None] | Answer | None]

# For the newest deposit or withdrawal, in the place of its id.
_LAST = "last"


def transfer(direction: Direction) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> None:
        amount, fee = fields.cents("dollars"), fields.cents("fee", "0")
        method = fields.word("method", cast(tuple[Method, ...], get_args(Method)), "ach")
        status = fields.word(
            "status", cast(tuple[TransferStatus, ...], ("pending", "applied", "failed")), "applied"
        )
        fields.done()
        sandbox.transfer(direction, amount, fee_cents=fee, method=method, status=status)

    return perform


def finish_transfer(sandbox: Sandbox, fields: Fields) -> None:
    transfer_id = fields.text("transfer", _LAST)
    status = fields.word("status", cast(tuple[TransferStatus, ...], get_args(TransferStatus)))
    fields.done()
    if transfer_id == _LAST:
        transfers = sandbox.account.portfolios[0].transfers
        if not transfers:
            raise BadCommand("there is no deposit or withdrawal")
        transfer_id = list(transfers)[-1]
    sandbox.finish_transfer(transfer_id, status)


def move_cash(sandbox: Sandbox, fields: Fields) -> None:
    source, destination = fields.whole("from"), fields.whole("to")
    amount = fields.cents("dollars")
    fields.done()
    sandbox.move_cash(source, destination, amount)


def move_instance(sandbox: Sandbox, fields: Fields) -> None:
    dollars = fields.number("dollars")
    fields.done()
    sandbox.move_instance(dollars)


def pay_untold(sandbox: Sandbox, fields: Fields) -> None:
    dollars, subaccount = fields.number("dollars"), fields.whole("subaccount", 0)
    fields.done()
    sandbox.pay_untold(dollars, subaccount=subaccount)


def set_netting(sandbox: Sandbox, fields: Fields) -> None:
    subaccount, enabled = fields.whole("subaccount", 0), fields.claim("enabled", True)
    fields.done()
    sandbox.set_netting(subaccount, enabled)


def open_member(sandbox: Sandbox, fields: Fields) -> Answer:
    positions, cash = fields.whole("positions", 5), fields.number("cash", "1000")
    precision = fields.number("precision", str(PRECISIONS[0]))
    fields.done()
    account = sandbox.open_account({0: cash}, precision=precision)
    for number, ticker in enumerate(held_and_trading(sandbox)[:positions], start=1):
        side: OutcomeSide = "yes" if number % 2 else "no"
        now = sandbox.market_clock.now()
        sandbox.exchange.hold(account, ticker, side, Decimal(number), Decimal("0.30"), now)
    credentials = keys.new_ed25519()
    sandbox.add_key(credentials, account=account, name="another member")
    return {"api_key_id": credentials.api_key_id, "private_key": credentials.private_key}


async def revoke_key(sandbox: Sandbox, fields: Fields) -> None:
    key_id = fields.text("key", sandbox.key_id)
    fields.done()
    if key_id != sandbox.key_id:
        sandbox.revoke_key(key_id)
        return
    # Else nobody could get into the sandbox again before it is started anew.
    successor = await asyncio.to_thread(keys.new_rsa)
    sandbox.renew_key(successor.private_key)
