"""
The accounts of one environment added up. Never over environments: their dollars are not the same.

What is unknown for one account is unknown for the sum, and nothing is counted twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account
from positions.decimal_text import plain
from positions.documents import Columns, Document, figure_names, instant, moment
from positions.models import AccountStream
from positions.pnl import percent

_PERCENT = "unrealized_pnl_percent"
_COUNTS = ("position_count", "unpriced_count", "estimated_count", "unreadable_count")


@dataclass(frozen=True, slots=True)
class Group:
    """
    The accounts that a session sees in one environment.

    Of those that are one account at the exchange `counted` has one.
    """

    environment: str
    members: tuple[int, ...]
    counted: tuple[int, ...]


def groups(accounts: Iterable[Account]) -> list[Group]:
    """A group for each environment with more than one of these accounts."""
    found: dict[str, list[Account]] = {}
    for account in accounts:
        found.setdefault(account.environment, []).append(account)
    return [_group(environment, of) for environment, of in found.items() if len(of) > 1]


def sum_document(environment: str, portfolios: Sequence[Document]) -> Document:
    """A portfolio's document for the sum of these accounts' portfolios, as they are told."""
    figures = {
        name: _sum(_amount(each[name]) for each in portfolios)
        for name in figure_names(AccountStream)
    }
    value, unrealized = figures["positions_value"], figures["unrealized_pnl"]
    if value is not None and unrealized is not None:
        # What they cost that have a mark.
        figures[_PERCENT] = percent(unrealized, value - unrealized)
    return {
        **{name: plain(figure) for name, figure in figures.items()},
        **{name: _sum(each[name] for each in portfolios) for name in _COUNTS},
        "account_id": None,
        "environment": environment,
        "cash_as_of": instant(_oldest(_moments(portfolios, "cash_as_of"))),
        "cash_provisional": any(each["cash_provisional"] for each in portfolios),
        "day_pnl_since": instant(_oldest(_moments(portfolios, "day_pnl_since"))),
        "reconciled_at": instant(_oldest(_moments(portfolios, "reconciled_at"))),
        "version": None,
        "updated_at": instant(_newest(_moments(portfolios, "updated_at"))),
    }


def _group(environment: str, accounts: Sequence[Account]) -> Group:
    same_as = {account.pk: account.same_as_id for account in accounts}
    members = sorted(same_as)
    counted: dict[int, int] = {}
    for member in members:
        first = _first(member, same_as)
        # Where the first itself is not seen, one of the others stands for it.
        counted.setdefault(first, first if first in same_as else member)
    return Group(environment, members=tuple(members), counted=tuple(sorted(counted.values())))


def _first(member: int, same_as: Mapping[int, int | None]) -> int:
    """The account that this one is in the end, seen or not."""
    passed: list[int] = []
    while (following := same_as.get(member)) is not None:
        if member in passed:
            # Each was found to be the other.
            return min(passed[passed.index(member) :])
        passed.append(member)
        member = following
    return member


def _sum(values: Iterable[Any]) -> Any:  # Any: decimals or counts
    total: Any = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _amount(told: Any) -> Decimal | None:  # Any: a figure
    return None if told is None else Decimal(told)


def _moments(portfolios: Iterable[Columns], name: str) -> list[datetime | None]:
    return [moment(each[name]) for each in portfolios]


def _newest(instants: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in instants if at is not None), default=None)


def _oldest(instants: Iterable[datetime | None]) -> datetime | None:
    known = list(instants)
    return None if None in known else min((at for at in known if at is not None), default=None)
