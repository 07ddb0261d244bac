"""What is asked of a list: whose rows, of which period and market, how many, and in what form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from django.conf import settings
from ninja import Field, Schema

from accounts import sight
from accounts.errors import InvalidRequest, NotFound
from accounts.models import Account
from accounts.sessions import SignedInRequest
from ledger.periods import Period, instant_of
from ledger.single import OfEnvironment
from positions.api import ALL, one_of

MOST_ROWS = 1_000
ALWAYS = Period()
CSV = "text/csv"
JSON = "application/json"

Ticker = Annotated[
    str | None,
    Field(None, description="Of this market only.", max_length=200, pattern=r"^[^\x00]*$"),
]
# A plus sign that was not escaped in the address.
_LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")
# Days and lengths are added and taken off: not to where there is no date any more, nor, as the
# exchange is asked by seconds since 1970, below none.
_FIRST_YEAR, _LAST_YEAR = 1971, 2998


class ListQuery(Schema):
    """The query parameters that every list takes."""

    account: str | None = Field(
        None,
        description="An account's id, or `all`; without, the default one.",
        pattern=r"^([0-9]{1,19}|all)$",
    )
    from_: str | None = Field(
        None,
        alias="from",
        description="The first instant that counts, or a day, which begins where trading days do.",
        examples=["2026-11-23", "2026-11-23T12:00:00Z"],
    )
    to: str | None = Field(
        None, description="The first instant that does not count any more, or a day."
    )
    limit: int = Field(100, ge=1, le=MOST_ROWS)
    cursor: str | None = Field(None, description="What `next` of the page before was.")
    format: Literal["json", "csv"] | None = Field(
        None,
        description="`csv`, as `Accept: text/csv`, streams all rows from the cursor on, "
        "whatever the limit.",
    )


class EnvironmentListQuery(ListQuery):
    """Of lists that may be of all accounts in one environment."""

    environment: OfEnvironment = None


class MarketListQuery(ListQuery):
    """Of lists that may be of one market only."""

    ticker: Ticker = None


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A question to a list, once it is known that it may be asked.

    Attributes:
        account_ids: none twice.
        wants_csv: all rows as CSV instead of a page as JSON.
    """

    account_ids: tuple[int, ...]
    period: Period = ALWAYS
    ticker: str | None = None
    limit: int = 100
    cursor: str | None = None
    wants_csv: bool = False

    def after(self, cursor: str | None) -> "Asked":
        """The same from a cursor on."""
        return replace(self, cursor=cursor)

    def with_limit(self, limit: int) -> "Asked":
        """The same with so many rows on a page."""
        return replace(self, limit=limit)


def asked_of(request: SignedInRequest, query: ListQuery) -> Asked:
    """
    What is asked by a request's session.

    Raises:
        NotFound: of an account, or an environment, that it does not see.
        InvalidRequest: an instant can't be read.
    """
    accounts = _accounts_of(sight.of(request.auth), query)
    return Asked(
        account_ids=tuple(account.pk for account in accounts),
        period=period_of(query.from_, query.to),
        ticker=query.ticker if isinstance(query, MarketListQuery) else None,
        limit=query.limit,
        cursor=query.cursor,
        wants_csv=wants_csv(request, query.format),
    )


def _accounts_of(seen: sight.Sight, query: ListQuery) -> Sequence[Account]:
    if query.account != ALL:
        return [one_of(seen, query.account)]
    environment = query.environment if isinstance(query, EnvironmentListQuery) else None
    if environment is None:
        return seen.accounts
    accounts = [each for each in seen.accounts if each.environment == environment]
    if not accounts:
        raise NotFound
    return accounts


def wants_csv(request: SignedInRequest, named: str | None) -> bool:
    """Whether the answer is to be CSV: `format` decides, without it the header."""
    if named is not None:
        return named == "csv"
    return request.get_preferred_type([JSON, CSV]) == CSV


def period_of(since: str | None, until: str | None) -> Period:
    """
    The period between two texts as people write them.

    Raises:
        InvalidRequest: one can't be read.
    """
    return Period(
        None if since is None else instant_named(since, "from"),
        None if until is None else instant_named(until, "to"),
    )


def instant_named(text: str, name: str) -> datetime:
    """
    An instant, or the beginning of a day, as people write it.

    Raises:
        InvalidRequest: it can't be read; it is told by the name that it has in the request.
    """
    try:
        instant = instant_of(_LOST_PLUS.sub("+", text), settings.TRADING_DAY_TIMEZONE)
        if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            raise ValueError("no time of an account or a market")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"“{name}” must be a day such as 2026-11-23, or an instant with its offset such as "
            "2026-11-23T12:00:00Z."
        ) from None
