"""Answers about one account, or about all of one environment that a session sees, added up."""

from dataclasses import dataclass
from typing import Annotated

from ninja import Query

from accounts.errors import InvalidRequest, NotFound
from accounts.models import Account
from accounts.sight import Sight
from positions import sums
from positions.api import ALL, one_of

OfEnvironment = Annotated[
    str | None,
    Query(description="With `account=all`: whose accounts are added up.", pattern=r"^[a-z]{1,16}$"),
]


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Whom an answer is about.

    Attributes:
        account_id: None for a sum.
        account_ids: those to add up; of several that are one at the exchange, one.
    """

    account_id: int | None
    environment: str
    account_ids: tuple[int, ...]


def scope_of(seen: Sight, account: str | None, environment: str | None) -> Scope:
    """
    Whom a request is about.

    Raises:
        NotFound: none that this session sees.
        InvalidRequest: a sum over several environments.
    """
    if account != ALL:
        one = one_of(seen, account)
        return Scope(one.pk, one.environment, (one.pk,))
    environments = {each.environment for each in seen.accounts}
    if environment is None and len(environments) > 1:
        raise InvalidRequest(
            "Dollars of several environments are not added up. Name one, such as "
            "environment=production."
        )
    members = [each for each in seen.accounts if environment in (None, each.environment)]
    if not members:
        raise NotFound
    return Scope(None, members[0].environment, _counted(members))


def _counted(members: list[Account]) -> tuple[int, ...]:
    groups = sums.groups(members)
    return groups[0].counted if groups else (members[0].pk,)
