"""
A trader's quarter: ninety days of one account, as commands with the moments they are for.

It knows nothing of the exchange it is played on: what it quoted, holds and decides it keeps itself.
The same seed is the same quarter. No two fills share a moment.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random

from sandbox.agenda import Act, Agenda, Command
from sandbox.grid import ONE, ZERO, PriceGrid
from sandbox.offering import GRIDS
from sandbox.quarter_events import Plan, plans

LENGTH = timedelta(days=90)
# Paid at the end of each month, and told by no call: on which day, and dollars.
INTEREST = ((30.0, Decimal("3.07")), (60.0, Decimal("4.12")), (89.0, Decimal("3.85")))
UNTOLD = sum((dollars for _, dollars in INTEREST), ZERO)

_FAR_SECONDS = 400 * 86_400
_QUOTES_APART = 0.5
_FIRST_TRADE_AFTER, _LAST_TRADE_BEFORE = 0.05, 0.3
# A game begins three hours before its market closes.
_GAME = 0.125
_MAINTENANCE = (50.3, 50.8)
# In the market that lasts, everything is sold on one day and bought again weeks later.
_LEFT = ("KXQYEAR-1", 18.0, 40.0)
_SECOND_SUBACCOUNT = 1

# What happens on a day whatever the prices are.
_DIARY: tuple[tuple[float, Command], ...] = (
    (0.01, {"do": "deposit", "dollars": "6000.00", "method": "wire"}),
    (10.2, {"do": "drop"}),
    (15.1, {"do": "deposit", "dollars": "1000.00", "fee": "2.50", "method": "debit"}),
    (20.05, {"do": "move_cash", "from": 0, "to": _SECOND_SUBACCOUNT, "dollars": "400.00"}),
    (20.06, {"do": "set_netting", "subaccount": _SECOND_SUBACCOUNT, "enabled": False}),
    (28.3, {"do": "withdraw", "dollars": "300.00", "method": "ach"}),
    (33.4, {"do": "drop"}),
    (35.1, {"do": "withdraw", "dollars": "200.00", "status": "pending"}),
    (37.1, {"do": "finish_transfer", "transfer": "last", "status": "failed"}),
    (40.1, {"do": "withdraw", "dollars": "150.00", "fee": "1.00", "method": "debit"}),
    (43.1, {"do": "finish_transfer", "transfer": "last", "status": "returned"}),
    (44.2, {"do": "reset"}),
    (_MAINTENANCE[0], {"do": "maintenance", "seconds": 43_200}),
    (_MAINTENANCE[1], {"do": "reopen"}),
    (55.2, {"do": "move_cash", "from": _SECOND_SUBACCOUNT, "to": 0, "dollars": "120.00"}),
    (62.1, {"do": "deposit", "dollars": "250.00", "status": "pending"}),
    (64.1, {"do": "finish_transfer", "transfer": "last", "status": "applied"}),
    (66.3, {"do": "move_instance", "dollars": "50.00"}),
    (68.3, {"do": "move_instance", "dollars": "-30.00"}),
    (70.2, {"do": "drop"}),
    *((day, Command(do="archive", age=30 * 86_400)) for day in (45.0, 61.0, 76.0, 90.0)),
    *((day, Command(do="pay_untold", dollars=str(dollars))) for day, dollars in INTEREST),
)


def quarter(*, seed: int = 1) -> Iterator[tuple[timedelta, Command]]:
    """
    The moments of a quarter since its start, in order, each with a command.

    The account needs nothing of its own: the first command brings its money.
    """
    agenda = Agenda()
    _Trader(Random(seed), agenda)
    yield from agenda.run()


def _days(days: float) -> timedelta:
    return timedelta(days=days)


def _seconds(days: float) -> int:
    return round(days * 86_400)


class _Book:
    """Where one market is quoted: a place on its grid, and a few ticks to the ask."""

    def __init__(self, grid: PriceGrid, bid: Decimal) -> None:
        self._grid = grid
        self._bid = grid.index(bid)
        self._spread = 1
        self.is_open = True

    @property
    def bid(self) -> Decimal:
        return self._grid.prices[self._bid]

    @property
    def ask(self) -> Decimal:
        return self._grid.prices[self._bid + self._spread]

    def wander(self, random: Random) -> None:
        self._spread = random.randint(1, 3)
        highest = len(self._grid.prices) - 1 - self._spread
        self._bid = max(0, min(self._bid + random.randint(-4, 4), highest))


class _Trader:
    """Who trades: the plans of the quarter, what is held, and how prices stand."""

    def __init__(self, random: Random, agenda: Agenda) -> None:
        self._random = random
        self._agenda = agenda
        self._books: dict[str, _Book] = {}
        self._held: dict[tuple[int, str], Decimal] = {}
        self._is_halted = False
        for day, command in _DIARY:
            self._agenda.add(_days(day), self._saying(command))
        for plan in plans(random):
            self._schedule(plan)

    def _schedule(self, plan: Plan) -> None:
        add = self._agenda.add
        add(_days(plan.opens), lambda at: self._list(plan))
        day = plan.opens + _QUOTES_APART
        while day < plan.closes - _LAST_TRADE_BEFORE / 2:
            add(_days(day + self._random.uniform(0, 0.1)), lambda at: self._quote(plan))
            day += _QUOTES_APART
        for _ in range(plan.trades):
            add(self._moment(plan), lambda at: self._trade(plan, at))
        if plan.event == _LEFT[0]:
            add(_days(_LEFT[1]), lambda at: self._leave(plan, at))
            add(_days(_LEFT[2]), lambda at: self._trade(plan, at))
        if plan.paused is not None:
            begin, end = plan.paused
            add(_days(begin), lambda at: self._pause(plan.tickers[0], "pause"))
            add(_days(end), lambda at: self._pause(plan.tickers[0], "resume"))
        self._schedule_end(plan)

    def _schedule_end(self, plan: Plan) -> None:
        at = _days(plan.decided)
        first = plan.disputed or plan.corrected or plan.values
        self._agenda.add(_days(plan.closes), lambda _: self._close(plan))
        self._agenda.add(at, lambda _: _deciding("determine", plan, first))
        if plan.disputed is not None:
            disputes: list[Command] = [{"do": "dispute", "market": each} for each in plan.tickers]
            self._agenda.add(at + timedelta(minutes=1), lambda _: iter(disputes))
            later = at + timedelta(hours=3)
            self._agenda.add(later, lambda _: _deciding("amend", plan, plan.values))
        if plan.corrected is not None:
            later = at + timedelta(days=2)
            self._agenda.add(later, lambda _: _deciding("amend_paid", plan, plan.values, first))

    def _moment(self, plan: Plan) -> timedelta:
        """Some time while it trades, and not while the trader stays away from it."""
        while True:
            day = self._random.uniform(
                plan.opens + _FIRST_TRADE_AFTER, plan.closes - _LAST_TRADE_BEFORE
            )
            if plan.event != _LEFT[0] or not _LEFT[1] <= day <= _LEFT[2]:
                return _days(day)

    # Acts

    def _saying(self, command: Command) -> Act:
        def act(at: timedelta) -> Iterator[Command]:
            if command["do"] in ("maintenance", "reopen"):
                self._is_halted = command["do"] == "maintenance"
            yield command

        return act

    def _list(self, plan: Plan) -> Iterator[Command]:
        for ticker, (_, price) in zip(plan.tickers, plan.outcomes, strict=True):
            self._books[ticker] = _Book(GRIDS[plan.grid], Decimal(price))
        lasting = plan.closes - plan.opens
        yield {
            "do": "list_event",
            "event": plan.event,
            "series": plan.series,
            "title": plan.title,
            "outcomes": ",".join(f"{suffix}:{price}" for suffix, price in plan.outcomes),
            "closes_in": _seconds(lasting),
            "mutually_exclusive": plan.mutually_exclusive,
            "grid": plan.grid,
            "category": plan.category,
            "fee_type": plan.fee_type,
            "starts_in": _seconds(lasting - _GAME) if plan.category == "Sports" else 0,
            # Only the quarter decides how it ends.
            "determined_in": _FAR_SECONDS,
        }

    def _close(self, plan: Plan) -> Iterator[Command]:
        """Time closes it; here it is only known that it is."""
        for ticker in plan.tickers:
            self._books[ticker].is_open = False
            for held in [key for key in self._held if key[1] == ticker]:
                del self._held[held]
        return iter(())

    def _pause(self, ticker: str, do: str) -> Iterator[Command]:
        self._books[ticker].is_open = do == "resume"
        yield {"do": do, "market": ticker}

    def _quote(self, plan: Plan) -> Iterator[Command]:
        for ticker in plan.tickers:
            if not self._can_trade(ticker):
                continue
            book = self._books[ticker]
            book.wander(self._random)
            yield {
                "do": "quote",
                "market": ticker,
                "yes_bid": str(book.bid),
                "yes_ask": str(book.ask),
                "yes_bid_size": self._random.randint(5, 900),
                "yes_ask_size": self._random.randint(5, 900),
            }
            if self._random.random() < 0.3:
                price = self._random.choice((book.bid, book.ask))
                yield {"do": "trade", "market": ticker, "yes_price": str(price), "count": "3.50"}

    def _trade(self, plan: Plan, at: timedelta) -> Iterator[Command]:
        """Open, add, sell some, sell all or turn round, in one to three fills."""
        ticker = self._random.choice(plan.tickers)
        # The second subaccount has its money from the twentieth day on.
        is_second = plan.series == "KXQRAIN" and at > _days(21) and self._random.random() < 0.12
        subaccount = _SECOND_SUBACCOUNT if is_second else 0
        held = self._held.get((subaccount, ticker), ZERO)
        # Who holds several NO of an event that excludes gets collateral back.
        leaning = 0.8 if plan.mutually_exclusive else 0.45
        chance = self._random.random()
        if not held:
            side = -1 if self._random.random() < leaning else 1
            signed = side * self._count()
        elif chance < 0.45:
            signed = self._count().copy_sign(held)
        elif chance < 0.75:
            signed = -_part(held, self._random)
        elif chance < 0.88:
            signed = -held
        else:
            signed = -held - self._count().copy_sign(held)
        yield from self._order(ticker, signed, subaccount, at)

    def _leave(self, plan: Plan, at: timedelta) -> Iterator[Command]:
        held = self._held.get((0, plan.tickers[0]), ZERO)
        if held:
            yield from self._order(plan.tickers[0], -held, 0, at)

    def _order(
        self, ticker: str, signed: Decimal, subaccount: int, at: timedelta
    ) -> Iterator[Command]:
        """An order for YES above 0, for NO below, filled at once or in parts seconds apart."""
        fill: Command = {
            "do": "fill",
            "market": ticker,
            "side": "yes" if signed > 0 else "no",
            "is_taker": self._random.random() < 0.7,
            "subaccount": subaccount,
            "order": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
        }
        parts = _parts(abs(signed), self._random)
        for number, part in enumerate(parts[1:], start=1):
            later = at + timedelta(seconds=number)
            self._agenda.add(later, self._filling(fill, part))
        yield from self._fill(fill, parts[0])

    def _filling(self, fill: Command, contracts: Decimal) -> Act:
        return lambda _: self._fill(fill, contracts)

    def _fill(self, fill: Command, contracts: Decimal) -> Iterator[Command]:
        ticker, side, subaccount = str(fill["market"]), fill["side"], fill["subaccount"]
        if not self._can_trade(ticker):
            return
        assert isinstance(subaccount, int)  # noqa: S101  # as `_order` made it
        book = self._books[ticker]
        # Who takes pays the other side's price, who makes has their own.
        price = book.ask if (side == "yes") == fill["is_taker"] else book.bid
        signed = contracts if side == "yes" else -contracts
        self._held[subaccount, ticker] = self._held.get((subaccount, ticker), ZERO) + signed
        yield {**fill, "yes_price": str(price), "count": str(contracts)}

    # Parts of acts

    def _can_trade(self, ticker: str) -> bool:
        return self._books[ticker].is_open and not self._is_halted

    def _count(self) -> Decimal:
        whole = Decimal(self._random.randint(4, 40))
        if self._random.random() < 0.65:
            return whole
        return whole + Decimal(self._random.randint(1, 99)).scaleb(-2)


def _deciding(
    do: str, plan: Plan, values: tuple[str, ...], before: tuple[str, ...] = ()
) -> Iterator[Command]:
    """Decide each market to pay its value, or those alone whose value was another before."""
    decisions = [
        (Decimal(value), ticker)
        for number, (ticker, value) in enumerate(zip(plan.tickers, values, strict=True))
        if not before or before[number] != value
    ]
    # Those that pay less come first: together they never pay more than a dollar.
    for value, ticker in sorted(decisions):
        yield {"do": do, "market": ticker, "yes_value": str(value)}


def _part(held: Decimal, random: Random) -> Decimal:
    """Between a fifth and four fifths of what is held, in hundredths of a contract."""
    return (held * random.randint(20, 80) / 100).quantize(Decimal("0.01")) or held


def _parts(contracts: Decimal, random: Random) -> list[Decimal]:
    """All of it, or two or three parts."""
    parts: list[Decimal] = []
    for _ in range(random.choice((0, 0, 0, 0, 1, 2))):
        part = (contracts * random.randint(20, 60) / 100).quantize(Decimal("0.01"))
        if ZERO < part < contracts - sum(parts, ZERO) - ONE / 100:
            parts.append(part)
    return [*parts, contracts - sum(parts, ZERO)]
