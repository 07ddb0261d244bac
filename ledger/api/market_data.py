"""REST of the exchange's own market data, for the markets that an account has to do with."""

from datetime import timedelta
from typing import Annotated

from django.db.models import Exists, OuterRef, QuerySet
from django.http import JsonResponse
from django.utils import timezone
from ninja import Path, Query, Router

from accounts import sight
from accounts.errors import InvalidRequest, NotFound
from accounts.key_check import exchange_of
from accounts.models import Account
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from kalshi.history import Candle, Range
from kalshi.orderbook import Level
from ledger import market_reads
from ledger.asked import period_of
from ledger.charts import LONGEST, candle_minutes
from ledger.market_schemas import CandlesOut, OrderBookOut, Span
from ledger.models import Fill, RecordedPosition
from ledger.selling import sale
from positions import reading
from positions.api import NOT_SEEN, One, one_of
from positions.decimal_text import plain
from positions.documents import instant
from positions.models import Market, Position
from positions.pnl import ZERO

router = Router()

_CHART = timedelta(days=1)

Ticker = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]


@router.get("positions/{ticker}/orderbook", response={200: OrderBookOut, NOT_SEEN: ErrorOut})
def orderbook(request: SignedInRequest, ticker: Ticker, account: One = None) -> JsonResponse:
    """
    What is bid for in a market, and what selling the whole position now would fetch.

    Asked of the exchange at most once in two seconds. While the account is live its worker asks,
    with its key. Where it can't, the exchange is asked without one, and `as_of` may be up to 15
    seconds ago: what anybody may ask comes from a cache there.
    """
    whose = one_of(sight.of(request.auth), account)
    market = _market(whose, ticker)
    held = Position.objects.filter(account=whose, market=market).values_list("quantity", flat=True)
    quantity = held.first() or ZERO
    is_live = reading.read_head(whose.pk).seen(timezone.now()).status == "live"
    by = whose.pk if is_live else None
    read = market_reads.READS.book(exchange_of(whose.environment), market, by)
    sold = sale(quantity, read.book, read.terms)
    return JsonResponse(
        {
            "account_id": whose.pk,
            "ticker": market.ticker,
            "as_of": instant(read.as_of),
            "yes_bids": [_level(each) for each in read.book.yes_bids],
            "no_bids": [_level(each) for each in read.book.no_bids],
            "sell_now": {
                "count": plain(sold.count),
                "average_price": plain(sold.average_price),
                "worst_price": plain(sold.worst_price),
                "fee": plain(sold.fee),
                "fee_multiplier": plain(read.terms.multiplier),
                "cash_flow": plain(sold.cash_flow),
                "left": plain(sold.left),
            },
        }
    )


@router.get("positions/{ticker}/candles", response={200: CandlesOut, NOT_SEEN: ErrorOut})
def candles(
    request: SignedInRequest, ticker: Ticker, span: Query[Span], account: One = None
) -> JsonResponse:
    """
    A market's prices over time, oldest first: the last day, if nothing else is asked for.

    Candles of a minute where at most 5,000 of them cover the time, else of an hour or a day.
    """
    whose = one_of(sight.of(request.auth), account)
    market = _market(whose, ticker)
    asked = period_of(span.from_, span.to)
    until = asked.until or timezone.now()
    since = asked.since or until - _CHART
    try:
        minutes = candle_minutes(since, until)
    except ValueError:
        raise InvalidRequest(
            f"“from” must lie before “to”, by at most {LONGEST.days} days."
        ) from None
    length = timedelta(minutes=minutes)
    found = market_reads.READS.candles(
        exchange_of(whose.environment),
        market,
        since=since,
        # That which is not over yet, too.
        until=until + length,
        minutes=minutes,
    )
    return JsonResponse(
        {
            "account_id": whose.pk,
            "ticker": market.ticker,
            "minutes": minutes,
            "candles": [_candle(each) for each in found if since < each.ends_at < until + length],
            "unreadable_count": len(found.left_out),
        }
    )


def _market(account: Account, ticker: str) -> Market:
    """
    A market that the account holds, held or has records of.

    Raises:
        NotFound: of any other, so that nobody asks the exchange by us for whatever they like.
    """
    known: list[QuerySet[Position] | QuerySet[RecordedPosition] | QuerySet[Fill]] = [
        rows.filter(account=account, market=OuterRef("pk"))
        for rows in (Position.objects.all(), RecordedPosition.objects.all(), Fill.objects.all())
    ]
    held, booked, filled = map(Exists, known)
    market = (
        Market.objects.filter(environment=account.environment, ticker=ticker)
        .filter(held | booked | filled)
        .first()
    )
    if market is None:
        raise NotFound
    return market


def _level(level: Level) -> dict[str, str | None]:
    return {"price": plain(level.price), "count": plain(level.count)}


def _candle(candle: Candle) -> dict[str, object]:
    return {
        "ends_at": instant(candle.ends_at),
        "yes_bid": _range(candle.yes_bid),
        "yes_ask": _range(candle.yes_ask),
        "price": None if candle.price is None else _range(candle.price),
        "previous_price": plain(candle.previous_price),
        "volume": plain(candle.volume),
        "open_interest": plain(candle.open_interest),
    }


def _range(prices: Range) -> dict[str, str | None]:
    return {
        "open": plain(prices.open),
        "high": plain(prices.high),
        "low": plain(prices.low),
        "close": plain(prices.close),
    }
