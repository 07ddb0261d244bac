"""
The markets of the records: rows of `positions.Market`, made by their tickers alone at first.

What they are is read from the exchange later; until then the event's name is guessed from the
market's, as it is in most of them.
"""

from collections.abc import Collection

from positions.models import Market
from positions.tickers import event_of, series_of


def ids_of(environment: str, tickers: Collection[str]) -> dict[str, int]:
    """The rows of these markets, by ticker."""
    found = _found(environment, tickers)
    missing = set(tickers) - found.keys()
    if missing:
        # Another writer may have made them in between.
        Market.objects.bulk_create(
            [_untold(environment, ticker) for ticker in sorted(missing)], ignore_conflicts=True
        )
        found |= _found(environment, missing)
    return found


def _found(environment: str, tickers: Collection[str]) -> dict[str, int]:
    rows = Market.objects.filter(environment=environment, ticker__in=tickers)
    return dict(rows.values_list("ticker", "pk"))


def _untold(environment: str, ticker: str) -> Market:
    return Market(
        environment=environment,
        ticker=ticker,
        event_ticker=event_of(ticker),
        series_ticker=series_of(ticker),
        title=ticker,
        yes_outcome="",
        no_outcome="",
        close_time=None,
        is_described=False,
    )
