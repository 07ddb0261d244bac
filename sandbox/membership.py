"""
Who trades on the exchange, with which keys, and the money that they move.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from sandbox.account import Account, ApiKey, Portfolio
from sandbox.chance import Chance
from sandbox.fees import DIRECT
from sandbox.grid import ZERO
from sandbox.listing import Event, Market
from sandbox.transfers import (
    Direction,
    Instance,
    InstanceTransfer,
    Method,
    SubaccountTransfer,
    Transfer,
    TransferStatus,
)

_LAST_SUBACCOUNT = 63

Changed = Market | Event | Account


class Membership:
    """
    Members by their id, and their keys.

    `watcher` is given each market, event and member that changed, once it has.
    """

    def __init__(self, chance: Chance) -> None:
        self.accounts: dict[str, Account] = {}
        self.watcher: Callable[[Changed], None] | None = None
        self._chance = chance
        self._keys: dict[str, ApiKey] = {}

    def open_account(
        self, cash: Mapping[int, Decimal], at: datetime, *, precision: Decimal = DIRECT
    ) -> Account:
        """
        A new member with cash in each subaccount; 0, the primary one, is among them.

        Raises:
            ValueError: a balance cannot have that precision, or that cash.
        """
        account = Account(
            user_id=self._chance.identifier(),
            portfolios={
                subaccount: Portfolio(subaccount, dollars, at, precision=precision)
                for subaccount, dollars in cash.items()
            },
        )
        self.accounts[account.user_id] = account
        self._changed(account)
        return account

    # Keys

    def add_key(self, key: ApiKey) -> None:
        self.accounts[key.user_id].keys[key.api_key_id] = key
        self._keys[key.api_key_id] = key

    def revoke_key(self, api_key_id: str) -> None:
        """Forget a key; KeyError when there is none of that id."""
        key = self._keys.pop(api_key_id)
        del self.accounts[key.user_id].keys[api_key_id]

    def key(self, api_key_id: str) -> ApiKey | None:
        return self._keys.get(api_key_id)

    # Deposits and withdrawals

    def transfer(
        self,
        account: Account,
        direction: Direction,
        amount_cents: int,
        at: datetime,
        *,
        fee_cents: int = 0,
        method: Method = "ach",
        status: TransferStatus = "applied",
    ) -> Transfer:
        """
        Move a member's money in or out; errors as `Portfolio.begin_transfer`, `finish_transfer`.
        """
        portfolio = account.portfolios[0]
        transfer = portfolio.begin_transfer(
            direction,
            amount_cents,
            fee_cents=fee_cents,
            method=method,
            transfer_id=self._chance.identifier(),
            at=at,
        )
        if status == "pending":
            self._changed(account)
            return transfer
        try:
            return self.finish_transfer(account, transfer.transfer_id, status, at)
        except ValueError:
            del portfolio.transfers[transfer.transfer_id]
            raise

    def finish_transfer(
        self, account: Account, transfer_id: str, status: TransferStatus, at: datetime
    ) -> Transfer:
        """Let a member's transfer be applied, fail or come back; errors as the portfolio's."""
        transfer = account.portfolios[0].finish_transfer(transfer_id, status, at)
        self._changed(account)
        return transfer

    # Cash that moves on the exchange

    def move_cash(
        self, account: Account, source: int, destination: int, amount_cents: int, at: datetime
    ) -> SubaccountTransfer:
        """
        Move cash between two subaccounts; the destination is opened if it is not there yet.

        Raises:
            KeyError: there is no such source.
            ValueError: the amount is not positive or more than the cash, the two are the same, or
                the destination is none there can be.
        """
        if amount_cents <= 0:
            raise ValueError("an amount is above 0")
        if source == destination or not 0 <= destination <= _LAST_SUBACCOUNT:
            raise ValueError("cash moves to another subaccount, from 0 to 63")
        giving = account.portfolios[source]
        moved = SubaccountTransfer(self._chance.identifier(), source, destination, amount_cents, at)
        giving.post("subaccount_transfer", -moved.dollars, moved.transfer_id, at)
        taking = account.portfolios.setdefault(
            destination, Portfolio(destination, ZERO, at, precision=giving.precision)
        )
        taking.post("subaccount_transfer", moved.dollars, moved.transfer_id, at)
        account.subaccount_transfers.append(moved)
        self._changed(account)
        return moved

    def move_instance(self, account: Account, dollars: Decimal, at: datetime) -> InstanceTransfer:
        """
        Move cash to the exchange for margined contracts, or with less than 0 back from there.

        What lies there is not simulated. ValueError as `Portfolio.post`, and for nothing.
        """
        if not dollars:
            raise ValueError("an amount is not 0")
        ways: tuple[Instance, Instance] = ("event_contract", "margined")
        source, destination = ways if dollars > 0 else ways[::-1]
        moved = InstanceTransfer(self._chance.identifier(), source, destination, abs(dollars), at)
        account.portfolios[0].post("instance_transfer", -dollars, moved.transfer_id, at)
        account.instance_transfers.append(moved)
        self._changed(account)
        return moved

    def pay_untold(
        self, account: Account, dollars: Decimal, at: datetime, *, subaccount: int = 0
    ) -> None:
        """Pay, or with less than 0 take, what no call tells; ValueError as `Portfolio.post`."""
        account.portfolios[subaccount].post("untold", dollars, "", at)
        self._changed(account)

    def _changed(self, changed: Changed) -> None:
        if self.watcher is not None:
            self.watcher(changed)
