"""
The price at which a market stood just before its event began: the closing line of its trades.

Only where the exchange knows when that was, by a milestone of the event: after it the outcome may
be seen coming, and a price says nothing of who was right before.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Case, Q, Value, When

from kalshi.errors import DecodeError, RequestRejected, ServerFailed
from kalshi.history import Candle
from kalshi.rest import Client
from ledger.models import Trade
from positions.models import Market
from postgres.threads import DatabaseThreads

# In which the last price is looked for.
_BEFORE = timedelta(hours=1)
# It knows no such event or market any more, or what it says of it can't be read: then there is no
# line, and those of others don't wait for it.
_NOT_TOLD = (RequestRejected, DecodeError)
# At once; the next look reads more.
_MOST = 20
# Of those that wait so many are looked at: the exchange may fail at the first ones each time.
_LOOKED_AT = 200
# After so many failures it is the exchange that fails.
_MOST_FAILURES = 5


async def read(rest: Client, account_id: int, threads: DatabaseThreads, now: datetime) -> None:
    """
    Read the lines of markets that are over, of which it was not asked yet.

    Raises:
        KalshiError: the exchange can't be asked.
    """
    starts: dict[str, datetime | None] = {}
    failed: set[str] = set()
    asked = 0
    for market in await threads.run(_not_asked, account_id, now):
        event = market.event_ticker
        if event in failed:
            continue
        try:
            if event not in starts:
                starts[event] = await _start_of(rest, event)
            start = starts[event]
            price = None
            if start is not None and start <= now:
                price = await _price_at(rest, market, start)
        except ServerFailed:
            # Perhaps at this event alone: it is asked again at the next look, and no other waits.
            failed.add(event)
            if len(failed) == _MOST_FAILURES:
                raise
            continue
        await threads.run(_keep, account_id, market.pk, start, price)
        asked += 1
        if asked == _MOST:
            return


async def _start_of(rest: Client, event_ticker: str) -> datetime | None:
    try:
        found = await rest.milestones(event_ticker)
    except _NOT_TOLD:
        return None
    return min((each.start_at for each in found), default=None)


async def _price_at(rest: Client, market: Market, start: datetime) -> Decimal | None:
    try:
        candles = await rest.all_candlesticks(
            market.series_ticker, market.ticker, since=start - _BEFORE, until=start, minutes=1
        )
    except _NOT_TOLD:
        return None
    return last_price([each for each in candles if each.ends_at <= start])


def last_price(candles: list[Candle]) -> Decimal | None:
    """The last price of a YES contract that was traded at, oldest candle first."""
    if not candles:
        return None
    last = candles[-1]
    return last.price.close if last.price else last.previous_price


def _not_asked(account_id: int, now: datetime) -> list[Market]:
    waiting = Trade.objects.filter(
        Q(result__isnull=False) | Q(market__close_time__lt=now),
        account_id=account_id,
        closed_at__isnull=False,
        is_line_asked=False,
        market__is_described=True,
    )
    ids = dict.fromkeys(waiting.order_by("id").values_list("market_id", flat=True)[:_LOOKED_AT])
    found = Market.objects.in_bulk(list(ids))
    return [found[market_id] for market_id in ids]


def _keep(account_id: int, market_id: int, start: datetime | None, price: Decimal | None) -> None:
    trades = Trade.objects.filter(
        account_id=account_id, market_id=market_id, closed_at__isnull=False, is_line_asked=False
    )
    if start is not None and price is not None and 0 <= price <= 1:
        yes = Value(price)
        trades.filter(opened_at__lt=start).update(
            closing_price=Case(
                When(side="yes", then=yes),
                default=Value(1 - price),
                output_field=Trade._meta.get_field("closing_price"),
            )
        )
    trades.update(is_line_asked=True)
