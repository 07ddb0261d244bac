"""The calls of the REST client by name, for people who ask by hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kalshi.history import Minutes
from kalshi.rest import Client

# With no start named, a chart of this long.
_CHART = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is asked beside the call's name.

    Args:
        names: tickers, as many as the call wants.
        subaccount: whose portfolio.
        ticker: only of this market.
        since, until: only of this time.
        minutes: the length of a candlestick.
    """

    names: tuple[str, ...] = ()
    subaccount: int = 0
    ticker: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    minutes: Minutes = 60


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of `rest.Client`.

    Args:
        operands: names that it needs; a last one that ends in "…" may be repeated.
    """

    about: str
    ask: Callable[[Client, Question], Awaitable[object]]
    operands: tuple[str, ...] = ()

    def takes(self, names: tuple[str, ...]) -> bool:
        """Whether these are as many names as it needs."""
        if self.operands and self.operands[-1].endswith("…"):
            return len(names) >= len(self.operands)
        return len(names) == len(self.operands)


def _candlesticks(client: Client, question: Question) -> Awaitable[object]:
    series, ticker = question.names
    until = question.until or datetime.now(UTC)
    since = question.since or until - _CHART
    return client.candlesticks(series, ticker, since=since, until=until, minutes=question.minutes)


CALLS: dict[str, Call] = {
    "api-keys": Call("the account's API keys and what they may do", lambda c, q: c.api_keys()),
    "limits": Call("how much the account may ask", lambda c, q: c.limits()),
    "endpoint-costs": Call("what requests cost", lambda c, q: c.endpoint_costs()),
    "balance": Call("cash, and the value of the positions", lambda c, q: c.balance(q.subaccount)),
    "subaccounts": Call("the cash of every subaccount", lambda c, q: c.subaccount_balances()),
    "netting": Call("which subaccounts get collateral back early", lambda c, q: c.netting()),
    "positions": Call("unsettled positions", lambda c, q: c.positions(q.subaccount)),
    "settled-positions": Call(
        "settled positions of the last months", lambda c, q: c.positions(q.subaccount, "settled")
    ),
    "old-positions": Call("archived positions", lambda c, q: c.historical_positions(q.subaccount)),
    "fills": Call(
        "executions of the last months",
        lambda c, q: c.fills(q.subaccount, ticker=q.ticker, since=q.since, until=q.until),
    ),
    "old-fills": Call(
        "archived executions",
        lambda c, q: c.historical_fills(
            q.subaccount, ticker=q.ticker, since=q.since, until=q.until
        ),
    ),
    "settlements": Call(
        "payouts of the last months",
        lambda c, q: c.settlements(q.subaccount, ticker=q.ticker, since=q.since, until=q.until),
    ),
    "deposits": Call("money paid in", lambda c, q: c.deposits()),
    "withdrawals": Call("money paid out", lambda c, q: c.withdrawals()),
    "subaccount-transfers": Call(
        "cash moved between subaccounts", lambda c, q: c.subaccount_transfers()
    ),
    "exchange-transfers": Call(
        "cash moved between parts of the exchange", lambda c, q: c.exchange_transfers()
    ),
    "cutoff": Call("where the archive ends", lambda c, q: c.historical_cutoff()),
    "markets": Call("markets by ticker", lambda c, q: c.markets(q.names), ("MARKET…",)),
    "old-markets": Call(
        "archived markets by ticker", lambda c, q: c.historical_markets(q.names), ("MARKET…",)
    ),
    "event-markets": Call(
        "all markets of one event", lambda c, q: c.markets_of_event(q.names[0]), ("EVENT",)
    ),
    "orderbook": Call(
        "what is bid for in a market", lambda c, q: c.orderbook(q.names[0]), ("MARKET",)
    ),
    "event": Call("one event", lambda c, q: c.event(q.names[0]), ("EVENT",)),
    "events": Call("events by ticker", lambda c, q: c.events(q.names), ("EVENT…",)),
    "combos": Call("events of combos", lambda c, q: c.multivariate_events(q.names), ("EVENT…",)),
    "milestones": Call(
        "what an event is about, and when", lambda c, q: c.milestones(q.names[0]), ("EVENT",)
    ),
    "series": Call("one series and its fees", lambda c, q: c.series(q.names[0]), ("SERIES",)),
    "candlesticks": Call("a market's prices over time", _candlesticks, ("SERIES", "MARKET")),
    "status": Call("whether the exchange is open", lambda c, q: c.exchange_status()),
    "schedule": Call("when it is open", lambda c, q: c.exchange_schedule()),
    "freshness": Call("how old REST's portfolio is", lambda c, q: c.user_data_timestamp()),
}
