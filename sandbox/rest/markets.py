"""
What is listed: markets, events and series, live and archived.
"""

from collections.abc import Callable

from sandbox import wire
from sandbox.exchange import Exchange
from sandbox.grid import ZERO
from sandbox.listing import Event, Market
from sandbox.rest import shapes
from sandbox.rest.milestones import milestone
from sandbox.rest.query import (
    Query,
    bad_request,
    flag,
    integer,
    is_within,
    limit,
    names,
    not_found,
    page,
    word,
)
from sandbox.wire import Json

# The words of the filter are not those of the answer.
_STATUSES = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined", "disputed", "amended"),
    "settled": ("finalized",),
}
_EVENT_STATUSES = ("unopened", "open", "closed", "settled")
_MOST_EVENTS = 200

# Families of time filters, each with the status filters that it goes with.
_TIMES = {
    "created": ("unopened", "open"),
    "close": ("closed",),
    "settled": ("settled",),
    "updated": (),
}
# What may stand beside a filter by the time of the last update.
_BESIDE_UPDATED = {"min_updated_ts", "max_updated_ts", "mve_filter", "series_ticker"}
_PAGING = {"limit", "cursor"}
# Of archived markets, which go by one of these alone.
_HISTORICAL_FILTERS = ("tickers", "event_ticker", "series_ticker", "mve_filter")


def markets(exchange: Exchange, query: Query) -> Json:
    """GET /markets: the live ones, by ticker."""
    size = limit(query, "GetMarkets", minimum=0)
    status = word(query, "status", tuple(_STATUSES))
    is_asked_for = _time_filter(query, status)
    rows = [
        market
        for market in _matching(exchange, query, ("only", "exclude"))
        if not exchange.is_archived(market)
        and (status is None or market.status in _STATUSES[status])
        and is_asked_for(market)
    ]
    return _markets(rows, query, size)


def historical_markets(exchange: Exchange, query: Query) -> Json:
    """GET /historical/markets: those that settled before the cutoff, by ticker."""
    size = limit(query, "GetHistoricalMarkets", minimum=0)
    if sum(bool(query.get(name)) for name in _HISTORICAL_FILTERS) > 1:
        raise bad_request("filters are mutually exclusive")
    rows = [each for each in _matching(exchange, query, ("exclude",)) if exchange.is_archived(each)]
    return _markets(rows, query, size)


def _markets(rows: list[Market], query: Query, size: int) -> Json:
    shown, after = page(rows, lambda market: market.ticker, query, size)
    return {"cursor": after, "markets": [shapes.market(market) for market in shown]}


def _matching(exchange: Exchange, query: Query, combos: tuple[str, ...]) -> list[Market]:
    tickers = names(query, "tickers")
    found = [exchange.markets[each] for each in sorted(tickers) if each in exchange.markets]
    if not tickers:
        found = [market for _, market in sorted(exchange.markets.items())]
    wanted = word(query, "mve_filter", combos)
    return [
        market
        for market in found
        if query.get("event_ticker") in (None, "", market.event_ticker)
        and query.get("series_ticker") in (None, "", _event_of(exchange, market).series_ticker)
        and wanted in (None, "only" if _event_of(exchange, market).is_multivariate else "exclude")
    ]


def _event_of(exchange: Exchange, market: Market) -> Event:
    return exchange.events[market.event_ticker]


def _time_filter(query: Query, status: str | None) -> Callable[[Market], bool]:
    """The one family of time filters that a query may have; Rejected for what does not go along."""
    given = [
        family
        for family in _TIMES
        if query.get(f"min_{family}_ts") or query.get(f"max_{family}_ts")
    ]
    if not given:
        return lambda market: True
    if len(given) > 1:
        raise bad_request("timestamp filters are mutually exclusive")
    (family,) = given
    if status is not None and status not in _TIMES[family]:
        raise bad_request(f"status filter is incompatible with {family} timestamp filters")
    if family == "updated":
        _check_beside_updated(query)
    earliest, latest = integer(query, f"min_{family}_ts"), integer(query, f"max_{family}_ts")

    def is_asked_for(market: Market) -> bool:
        at = {
            "created": market.created_at,
            "close": market.close_time,
            "settled": market.settled_at,
            "updated": market.updated_at,
        }[family]
        if at is None or not is_within(at.timestamp(), earliest, latest):
            return False
        # Updated later than that: who asks again from the last time is not told the same again.
        return family != "updated" or earliest is None or at.timestamp() > earliest

    return is_asked_for


def _check_beside_updated(query: Query) -> None:
    others = {name for name, value in query.items() if value} - _PAGING - _BESIDE_UPDATED
    if others or query.get("mve_filter") == "only":
        raise bad_request("updated timestamp filters are incompatible with other filters")
    if query.get("series_ticker") and query.get("mve_filter") != "exclude":
        raise bad_request("series_ticker requires mve_filter=exclude here")


def market(exchange: Exchange, ticker: str) -> Json:
    """GET /markets/{ticker}."""
    found = exchange.markets.get(ticker)
    if found is None or exchange.is_archived(found):
        raise not_found()
    return {"market": shapes.market(found)}


def historical_market(exchange: Exchange, ticker: str) -> Json:
    """GET /historical/markets/{ticker}."""
    found = exchange.markets.get(ticker)
    if found is None or not exchange.is_archived(found):
        raise not_found()
    return {"market": shapes.market(found)}


# Events and series


def event(exchange: Exchange, event_ticker: str, query: Query) -> Json:
    """GET /events/{event_ticker}: with its markets beside it, inside it, or without."""
    is_nested, is_bare = flag(query, "with_nested_markets"), flag(query, "exclude_markets")
    if is_nested and is_bare:
        raise bad_request("exclude_markets cannot be combined with with_nested_markets")
    found = exchange.events.get(event_ticker)
    if found is None:
        raise not_found()
    if is_nested:
        return {"event": _nested(exchange, found), "markets": []}
    rows = [] if is_bare else _live_markets(exchange, found)
    return {"event": shapes.event(found, exchange), "markets": rows}


def events(exchange: Exchange, query: Query) -> Json:
    """GET /events: all but combos, by ticker."""
    size = limit(query, "GetEvents", maximum=_MOST_EVENTS, default=_MOST_EVENTS)
    status = word(query, "status", _EVENT_STATUSES)
    closes_after = integer(query, "min_close_ts")
    updated_after = integer(query, "min_updated_ts")
    rows = [
        each
        for each in _matching_events(exchange, query, are_combos=False)
        if (status is None or _status(exchange, each) == status)
        and (closes_after is None or _closes_at(exchange, each) > closes_after)
        and (updated_after is None or each.created_at.timestamp() > updated_after)
    ]
    body = _events(exchange, rows, query, size)
    if not flag(query, "with_milestones"):
        return body
    shown = (exchange.events[row["event_ticker"]] for row in body["events"])
    beginning = [milestone(exchange, each) for each in shown if each.starts_at is not None]
    return {**body, "milestones": beginning}


def multivariate_events(exchange: Exchange, query: Query) -> Json:
    """GET /events/multivariate: combos, by ticker; they are in no collection here."""
    size = limit(query, "GetMultivariateEvents", maximum=_MOST_EVENTS)
    if query.get("series_ticker") and query.get("collection_ticker"):
        raise bad_request("series_ticker cannot be combined with collection_ticker")
    rows = _matching_events(exchange, query, are_combos=True)
    return _events(exchange, [] if query.get("collection_ticker") else rows, query, size)


def _events(exchange: Exchange, rows: list[Event], query: Query, size: int) -> Json:
    shown, after = page(rows, lambda row: row.ticker, query, size)
    if flag(query, "with_nested_markets"):
        return {"cursor": after, "events": [_nested(exchange, each) for each in shown]}
    return {"cursor": after, "events": [shapes.event(each, exchange) for each in shown]}


def _matching_events(exchange: Exchange, query: Query, *, are_combos: bool) -> list[Event]:
    tickers = names(query, "tickers")
    return [
        each
        for ticker, each in sorted(exchange.events.items())
        if each.is_multivariate is are_combos
        and (not tickers or ticker in tickers)
        and query.get("series_ticker") in (None, "", each.series_ticker)
    ]


def _nested(exchange: Exchange, event: Event) -> Json:
    return {**shapes.event(event, exchange), "markets": _live_markets(exchange, event)}


def _live_markets(exchange: Exchange, event: Event) -> list[Json]:
    return [
        shapes.market(market)
        for market in exchange.markets_of(event.ticker)
        if not exchange.is_archived(market)
    ]


def _status(exchange: Exchange, event: Event) -> str:
    """The word for an event: that of the market which is least far in its life."""
    statuses = {market.status for market in exchange.markets_of(event.ticker)}
    if statuses & {"active", "inactive"}:
        return "open"
    if "initialized" in statuses:
        return "unopened"
    return "settled" if statuses == {"finalized"} else "closed"


def _closes_at(exchange: Exchange, event: Event) -> float:
    return max(
        (market.close_time.timestamp() for market in exchange.markets_of(event.ticker)), default=0.0
    )


def series(exchange: Exchange, series_ticker: str, query: Query) -> Json:
    """GET /series/{series_ticker}."""
    found = exchange.series.get(series_ticker)
    if found is None:
        raise not_found()
    shape = shapes.series(found)
    if flag(query, "include_volume"):
        volumes = (
            market.tape.volume
            for market in exchange.markets.values()
            if _event_of(exchange, market).series_ticker == series_ticker
        )
        shape["volume_fp"] = wire.count(sum(volumes, ZERO))
    return {"series": shape}
