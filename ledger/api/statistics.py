"""REST of statistics, of one account or of all in one environment added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Any

from django.http import JsonResponse
from ninja import Query, Router

from accounts import sight
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import holes, return_reading, tally_reading
from ledger.asked import period_of
from ledger.returns import RETURNS, Drawdown, Returns
from ledger.single import OfEnvironment, Scope, scope_of
from ledger.statistics import By, Statistics, Tally, statistics_of
from ledger.trade_schemas import StatisticsAnswerOut
from positions.api import NOT_SEEN, OneOrAll
from positions.decimal_text import plain
from positions.documents import Document, instant

router = Router()

Since = Annotated[
    str | None,
    Query(
        alias="from",
        description="The first instant that counts, or a day, which begins where trading days do.",
    ),
]
Until = Annotated[
    str | None,
    Query(alias="to", description="The first instant that does not count any more, or a day."),
]
Grouping = Annotated[By | None, Query(description="What makes a group; without it there are none.")]

STILL_READING = "Older records are still being read."
UNREADABLE = "Some records of this period can’t be read; what is missing is told by the proof."
_NAMES = [each.name for each in fields(Statistics) if each.name != "reasons"]


@router.get("statistics", response={200: StatisticsAnswerOut, NOT_SEEN: ErrorOut})
def statistics(
    request: SignedInRequest,
    account: OneOrAll = None,
    environment: OfEnvironment = None,
    since: Since = None,
    until: Until = None,
    by: Grouping = None,
) -> JsonResponse:
    """
    What the closed trades of a period add up to, in all and by group, and the period's returns.

    `entry_brier` scores the prices that were paid, not what their buyer thought.
    """
    of = scope_of(sight.of(request.auth), account, environment)
    period = period_of(since, until)
    if not all(holes.is_past_read(each) for each in of.account_ids):
        # Part of the trades would pass for all of them.
        return _answer(of, _unsaid([*_NAMES, *RETURNS], STILL_READING))
    returns = return_reading.read(of.account_ids, period)
    if holes.hide_trades(of.account_ids, period.since, period.until):
        # What was sold by a record that can't be read counts as held to the end. In a period after
        # it that may still be so of what was open then: of which market it is, is not known.
        return _answer(of, _with_returns(_unsaid(_NAMES, UNREADABLE), returns))
    found = tally_reading.tallies(of.account_ids, of.environment, period, by)
    total = statistics_document(statistics_of(sum(found.values(), Tally())))
    groups = [
        {"key": key, **statistics_document(statistics_of(tally))}
        for key, tally in (found.items() if by else ())
    ]
    return _answer(of, _with_returns(total, returns), groups)


def _answer(of: Scope, total: Document, groups: Sequence[Document] = ()) -> JsonResponse:
    return JsonResponse(
        {
            "account_id": of.account_id,
            "environment": of.environment,
            "total": total,
            "groups": list(groups),
        }
    )


def _unsaid(names: Iterable[str], why: str) -> Document:
    reasons = dict.fromkeys(names, why)
    return {**dict.fromkeys(reasons), "reasons": reasons}


def _with_returns(total: Mapping[str, Any], returns: Returns) -> Document:  # Any: JSON
    return {
        **total,
        "time_weighted_return": plain(returns.time_weighted_return),
        "money_weighted_return": plain(returns.money_weighted_return),
        "sharpe": plain(returns.sharpe),
        "max_drawdown": returns.max_drawdown and _drawdown_document(returns.max_drawdown),
        "reasons": {**total["reasons"], **returns.reasons},
    }


def statistics_document(told: Statistics) -> Document:
    """Figures as text, counts as numbers."""
    values = {name: getattr(told, name) for name in _NAMES}
    return {
        **{
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in values.items()
        },
        "reasons": dict(told.reasons),
    }


def _drawdown_document(drawdown: Drawdown) -> Document:
    return {
        "amount": plain(drawdown.amount),
        "percent": plain(drawdown.percent),
        "from": instant(drawdown.since),
        "to": instant(drawdown.until),
        "recovered_at": instant(drawdown.recovered_at),
    }
