from datetime import datetime, timedelta, timezone

import pytest

from positions.documents import instant, market_url
from positions.models import Market
from tests.told import NOON, at


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-11-23T12:00:00Z"),
        (at(0.25), "2026-11-23T12:00:00.250000Z"),
        (
            datetime(2026, 11, 23, 7, tzinfo=timezone(timedelta(hours=-5))),
            "2026-11-23T12:00:00Z",
        ),
        (None, None),
    ],
)
def test_instants_are_told_in_utc(moment, text):
    assert instant(moment) == text


@pytest.mark.parametrize(
    ("environment", "series", "title", "event", "url"),
    [
        (
            "production",
            "KXMLBGAME",
            "Toronto at Philadelphia?",
            "KXMLBGAME-26AUG07TORPHI",
            "https://kalshi.com/markets/kxmlbgame/toronto-at-philadelphia/kxmlbgame-26aug07torphi",
        ),
        (
            "demo",
            "KXFED",
            "Fed",
            "KXFED-26DEC",
            "https://kalshi.com/markets/kxfed/fed/kxfed-26dec",
        ),
        (
            "sandbox",
            "KXFED",
            "Fed",
            "KXFED-26DEC",
            "https://kalshi.com/markets/kxfed/fed/kxfed-26dec",
        ),
        # No letter of it fits an address: the series stands in.
        ("production", "KXX", "日本?", "KXX-1", "https://kalshi.com/markets/kxx/kxx/kxx-1"),
        ("production", "KXX", "", "KXX-1", "https://kalshi.com/markets/kxx/kxx/kxx-1"),
        # A ticker is any printable text; it stays one part of the path.
        (
            "production",
            "A/B?",
            "Odd",
            'E#"1.5',
            "https://kalshi.com/markets/a%2Fb%3F/odd/e%23%221.5",
        ),
    ],
    ids=["production", "demo", "sandbox", "foreign title", "no title", "odd tickers"],
)
def test_url_of_a_market(environment, series, title, event, url):
    market = Market(environment=environment, series_ticker=series, event_ticker=event, title=title)

    assert market_url(market) == url
