"""All that is known of one market that an account holds or held."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast

from django.utils import timezone

from accounts.errors import NotFound
from accounts.models import Account
from ledger import day_reading, explaining, matrix, models, paid_markets
from ledger.explaining import DayStart, Explanation, Recorded
from ledger.flows import NOTHING
from ledger.matrix import EventMatrix, Held
from ledger.recorded import recorded_of
from ledger.what_happened import fill_document
from positions.collateral import EXCLUSIVE
from positions.decimal_text import plain
from positions.documents import Document, instant, position_document
from positions.models import AccountStream, Market, Position
from positions.pnl import PAYOUT, ZERO, Figures, Holding, Mark, MarketState, MarkSource, Quote

MOST_FILLS = 100
# The markets of an event are settled together, or within days.
_SETTLED_TOGETHER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Known:
    """
    A market that an account holds, held or has traded.

    Attributes:
        position: None where the account's last rows do not have it.
        recorded: None where the ledger does not.
    """

    account_id: int
    market: Market
    position: Position | None
    recorded: models.RecordedPosition | None

    @property
    def is_open(self) -> bool:
        """Whether something is held."""
        return self.position is not None and self.position.quantity != 0


def known(account: Account, ticker: str) -> Known:
    """
    Find it.

    Raises:
        NotFound: nothing is known of it in this account.
    """
    market = None
    # PostgreSQL has no such text, and says so by an error.
    if "\x00" not in ticker:
        market = Market.objects.filter(environment=account.environment, ticker=ticker).first()
    if market is None:
        raise NotFound
    position = Position.objects.of(account.pk).filter(market=market).first()
    recorded = models.RecordedPosition.objects.filter(account=account, market=market).first()
    if position is None and recorded is None:
        raise NotFound
    return Known(account.pk, market, position, recorded)


def document(found: Known) -> Document:
    """The position, its newest fills, its note, its outcomes, and how its figures come about."""
    fills = list(
        models.Fill.objects.filter(account_id=found.account_id, market=found.market).order_by(
            "-at", "-trade_id"
        )[:MOST_FILLS]
    )
    for fill in fills:
        fill.market = found.market
    note = models.Note.objects.filter(
        account_id=found.account_id, ticker=found.market.ticker
    ).first()
    recorded = recorded_of(found.recorded, fills)
    held = _held_of_event(found)
    own = _holding(found)
    flat_start = None if found.is_open or own is None else _day_start_of_flat(found)
    event = matrix.event_matrix(
        held,
        is_exclusive=_is_exclusive(found.market),
        has_yes_won=bool(held) and _has_yes_won(found, held),
    )
    return {
        **(
            position_document(found.position)
            if found.is_open and found.position
            else _flat(found, own, flat_start)
        ),
        "fills": [fill_document(fill) for fill in fills],
        "note": note.text if note else None,
        "settlement_matrix": _matrix_document(own, event),
        "explanation": [
            explanation_document(each) for each in _explained(found, own, recorded, flat_start)
        ],
    }


def explanation_document(explanation: Explanation) -> Document:
    """One figure's formula with what is put in."""
    return {
        "field": explanation.field,
        "formula": explanation.formula,
        "words": explanation.words,
        "with": [
            {
                "name": given.name,
                "value": plain(given.value),
                "from": given.source,
                "at": instant(given.at),
                "ticker": given.ticker,
                "fills": [{"id": trade_id, "at": instant(at)} for trade_id, at in given.fills],
            }
            for given in explanation.given
        ],
        "value": plain(explanation.value),
    }


def _explained(
    found: Known, own: Holding | None, recorded: Recorded | None, flat_start: DayStart | None
) -> list[Explanation]:
    row = found.position
    told_at = row.held_at if row else None
    if row is None or not row.quantity:
        if own is None:
            return []
        return list(
            explaining.explained_flat(
                own,
                day_pnl=_day_pnl(own, flat_start),
                day_start=flat_start,
                told_at=told_at,
                recorded=recorded,
            )
        )
    return list(
        explaining.explained(
            own or NOTHING,
            Quote(row.yes_bid, row.yes_ask, row.last_price, row.priced_at),
            MarketState(row.market_status, row.settlement_value),
            _shown(row),
            day_pnl=row.day_pnl,
            day_start=_day_start(row),
            told_at=told_at,
            recorded=recorded,
        )
    )


def _shown(row: Position) -> Figures:
    mark = None
    if row.mark is not None and row.mark_source is not None:
        mark = Mark(row.mark, cast(MarkSource, row.mark_source))  # as its choices
    return Figures(
        average_price=row.average_price,
        mark=mark,
        market_value=row.market_value,
        unrealized_pnl=row.unrealized_pnl,
        unrealized_pnl_percent=row.unrealized_pnl_percent,
        net_pnl=row.net_pnl,
        break_even_price=row.break_even_price,
        payout=row.payout,
    )


def _day_start(row: Position) -> DayStart | None:
    if row.day_pnl is None or row.net_pnl is None:
        return None
    then = row.net_pnl - row.day_pnl
    stream = AccountStream.objects.filter(pk=row.account_id).first()
    at = stream.day_pnl_since if stream else None
    if at is None:
        return DayStart(then, at, "its net P&L then")
    point = models.EquityPoint.objects.filter(account_id=row.account_id, at=at).first()
    stored = (point.nets or {}).get(row.market.ticker) if point else None
    if stored is not None and Decimal(stored) == then:
        return DayStart(then, at, "stored with the account's value then")
    return DayStart(then, at, "its net P&L then, as far as it was traded before")


def _day_start_of_flat(found: Known) -> DayStart | None:
    stream = AccountStream.objects.filter(pk=found.account_id).first()
    at = stream.day_pnl_since if stream else None
    if at is None:
        return None
    then = day_reading.net_at(Account.objects.get(pk=found.account_id), found.market.ticker, at)
    return None if then is None else DayStart(then, at, "its net P&L then, by what is stored")


def _day_pnl(flat: Holding, start: DayStart | None) -> Decimal | None:
    return None if start is None else flat.realized_pnl - flat.fees_paid - start.net_pnl


def _flat(found: Known, own: Holding | None, day_start: DayStart | None) -> Document:
    """A position that is no more, in the fields of one that is."""
    row = found.position
    if row is None:
        # `known` found one of the two.
        assert found.recorded is not None  # noqa: S101
        row = Position(
            account_id=found.account_id,
            market=found.market,
            quantity=ZERO,
            exposure=ZERO,
            fees_paid=ZERO,
            payout=ZERO,
            market_status="",
            seq=0,
            updated_at=found.recorded.last_at,
        )
    return {
        **position_document(row),
        "side": None,
        "outcome": None,
        "closed_reason": row.closed_reason or _how_it_ended(found),
        "payout": "0",
        "realized_pnl": plain(own.realized_pnl) if own else plain(row.realized_pnl),
        "fees_paid": plain(own.fees_paid) if own else None,
        "net_pnl": plain(own.realized_pnl - own.fees_paid) if own else None,
        "day_pnl": plain(_day_pnl(own, day_start)) if own else None,
    }


def _how_it_ended(found: Known) -> str:
    paid = models.Settlement.objects.filter(account_id=found.account_id, market=found.market)
    return "settled" if paid.exists() else "closed"


def _holding(found: Known) -> Holding | None:
    """What is held, as it is shown; None where of a market that is flat now that is not known."""
    row, recorded = found.position, found.recorded
    if row is not None and row.quantity:
        return Holding(row.quantity, row.exposure, row.realized_pnl or ZERO, row.fees_paid)
    if recorded is not None and not recorded.quantity:
        return Holding(ZERO, ZERO, recorded.realized_pnl, recorded.fees_paid)
    if row is not None and row.realized_pnl is not None:
        return Holding(ZERO, ZERO, row.realized_pnl, row.fees_paid)
    return None


def _held_of_event(found: Known) -> list[Held]:
    rows = (
        Position.objects.of(found.account_id)
        .open()
        .filter(market__event_ticker=found.market.event_ticker)
        .order_by("market__ticker")
    )
    return [
        Held(
            row.market.ticker,
            Holding(row.quantity, row.exposure, row.realized_pnl or ZERO, row.fees_paid),
            MarketState(row.market_status, row.settlement_value).determined_value,
        )
        for row in rows
    ]


def _is_exclusive(market: Market) -> bool | None:
    of = market.collateral_return_type
    return None if of is None else of == EXCLUSIVE


def _has_yes_won(found: Known, held: list[Held]) -> bool:
    since = timezone.now() - _SETTLED_TOGETHER
    paid = models.Settlement.objects.filter(
        account_id=found.account_id,
        at__gte=since,
        market__event_ticker=found.market.event_ticker,
    ).exclude(market__ticker__in=[each.ticker for each in held])
    # A correction, which is later, is what counts.
    newest = dict(paid.order_by("at", "pk").values_list("market_id", "result"))
    beside = paid_markets.beside_held(found.account_id)
    event_ticker = found.market.event_ticker
    return "yes" in newest.values() or any(
        market.is_yes for market, _ in beside if market.event_ticker == event_ticker
    )


def _matrix_document(own: Holding | None, event: EventMatrix) -> Document:
    return {
        "if_yes": _outcome_document(matrix.if_settled(own, PAYOUT) if own else None),
        "if_no": _outcome_document(matrix.if_settled(own, ZERO) if own else None),
        "event": {
            "is_exclusive": event.is_exclusive,
            "outcomes": [_outcome_document(each) for each in event.outcomes],
            "best": _outcome_document(event.best),
            "worst": _outcome_document(event.worst),
        },
    }


def _outcome_document(outcome: matrix.Outcome | None) -> Document | None:
    if outcome is None:
        return None
    return {
        "outcome": outcome.outcome,
        "payout": plain(outcome.payout),
        "net_pnl": plain(outcome.net_pnl),
    }
