"""
When what an event asks for begins.
"""

import uuid
from datetime import datetime

from sandbox import wire
from sandbox.exchange import Exchange
from sandbox.listing import Event
from sandbox.rest.query import Query, bad_request, integer, limit, page, required
from sandbox.wire import Json

_MOST = 500
_TYPES = {"Sports": "baseball_game", "Elections": "political_race"}


def milestones(exchange: Exchange, query: Query) -> Json:
    """GET /milestones: one for each event whose start is known, by that and the ticker."""
    required(query, "limit")
    size = limit(query, "GetMilestones", maximum=_MOST)
    earliest = _moment(query, "minimum_start_date")
    updated_after = integer(query, "min_updated_ts")
    found = sorted(
        (
            (event.starts_at, event)
            for event in exchange.events.values()
            if event.starts_at is not None
            and query.get("related_event_ticker") in (None, "", event.ticker)
            and query.get("category") in (None, "", _category(exchange, event))
            and query.get("type") in (None, "", _type(exchange, event))
            # There are none from elsewhere, and no competitions.
            and not query.get("source_id")
            and not query.get("competition")
            and (earliest is None or event.starts_at >= earliest)
            and (updated_after is None or event.created_at.timestamp() > updated_after)
        ),
        key=_order,
    )
    shown, after = page(found, _order, query, size)
    return {"cursor": after, "milestones": [milestone(exchange, event) for _, event in shown]}


def milestone(exchange: Exchange, event: Event) -> Json:
    """The shape of one; the event has a start."""
    assert event.starts_at is not None  # noqa: S101  # or it would have no milestone
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"milestone {event.ticker}")),
        "category": _category(exchange, event),
        "type": _type(exchange, event),
        "start_date": wire.time(event.starts_at),
        "related_event_tickers": [event.ticker],
        "primary_event_tickers": [event.ticker],
        "title": event.title,
        "notification_message": f"{event.title} begins",
        "details": {},
        "last_updated_ts": wire.time(event.created_at),
    }


def _order(row: tuple[datetime, Event]) -> str:
    starts_at, event = row
    return f"{starts_at.timestamp():017.6f} {event.ticker}"


def _category(exchange: Exchange, event: Event) -> str:
    return exchange.series[event.series_ticker].category


def _type(exchange: Exchange, event: Event) -> str:
    return _TYPES.get(_category(exchange, event), "one_off_milestone")


def _moment(query: Query, name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(f"invalid {name}") from None
    if moment.tzinfo is None:
        raise bad_request(f"invalid {name}")
    return moment
