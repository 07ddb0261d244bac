"""
The hands that move a running exchange: what happens on it, and what goes wrong with it.

Each acts at once and sends what members would hear of it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox import frames, wire
from sandbox.account import Account, ApiKey
from sandbox.clock import MarketClock
from sandbox.connection import Connection
from sandbox.exchange import Exchange
from sandbox.faults import Faults
from sandbox.fees import DIRECT, FeeType
from sandbox.happenings import Happening
from sandbox.keys import Credentials
from sandbox.market import Quote
from sandbox.offering import Offering
from sandbox.past import Past
from sandbox.position import OutcomeSide
from sandbox.routes import Subject
from sandbox.transfers import Direction, Method, Transfer, TransferStatus

# Everything that changes in it is kept.
_LONGEST_LAG = timedelta(days=1)


class Hands:
    """
    An exchange with its members' connections.

    Args:
        account: whose orders trade and whose money moves, unless another is named.
        credentials: of the demonstration key.
        clock: the exchange's time, which decides whether a signature is current.
    """

    def __init__(
        self,
        exchange: Exchange,
        account: Account,
        credentials: Credentials,
        *,
        clock: Callable[[], datetime],
        market_clock: MarketClock,
    ) -> None:
        self.exchange = exchange
        self.account = account
        self.credentials = credentials
        # Called when the demonstration key has a successor, to write it down.
        self.key_keeper: Callable[[], object] | None = None
        self.clock = clock
        self.market_clock = market_clock
        self.faults = Faults()
        self.is_refusing = False
        self.lags: dict[Subject, timedelta] = {"account": timedelta(), "markets": timedelta()}
        self._past: Past | None = None
        # While it is not set, everything is frozen.
        self.flow = asyncio.Event()
        self.flow.set()
        self.connections: set[Connection] = set()

    @property
    def key_id(self) -> str:
        return self.credentials.api_key_id

    @property
    def private_key(self) -> str:
        """The demonstration key in PEM."""
        return self.credentials.private_key

    @property
    def connection_count(self) -> int:
        return len(self.connections)

    def now(self) -> datetime:
        """The exchange's clock, which a fault may have put wrong."""
        return self.clock() + self.faults.clock_skew

    # Prices and fills

    def set_quote(
        self,
        ticker: str,
        yes_bid: Decimal,
        yes_ask: Decimal,
        *,
        yes_bid_size: Decimal = Decimal(100),
        yes_ask_size: Decimal = Decimal(100),
    ) -> None:
        """
        Quote a market; a size of 0 leaves that side empty. ValueError as `Exchange.set_quote`.
        """
        quote = Quote(yes_bid, yes_bid_size, yes_ask, yes_ask_size)
        self._tell(self.exchange.set_quote(ticker, quote, self.market_clock.now()))

    def trade(self, ticker: str, yes_price: Decimal, count: Decimal = Decimal(1)) -> None:
        """Let others trade."""
        self._tell(self.exchange.trade(ticker, yes_price, count, self.market_clock.now()))

    def fill(
        self,
        ticker: str,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        *,
        is_taker: bool = True,
        account: Account | None = None,
        subaccount: int = 0,
        order_id: str | None = None,
    ) -> None:
        """
        Let a member's order trade, for the first time or again; the demonstration account's unless
        another is named.
        """
        happened = self.exchange.fill(
            account or self.account,
            ticker,
            side,
            count,
            yes_price,
            self.market_clock.now(),
            is_taker=is_taker,
            subaccount=subaccount,
            order_id=order_id,
        )
        self._tell(happened)

    def step(self, own_fill_chance: float = 0.0) -> None:
        """One random update."""
        self._tell(self.exchange.step(self.market_clock.now(), own_fill_chance))

    # The life of markets

    def advance(self) -> None:
        """Do what time alone does to markets."""
        self._tell(self.exchange.advance(self.market_clock.now()))

    def skip(self, ahead: timedelta) -> None:
        """Let time in the markets jump ahead, with all that it does to them."""
        self.market_clock.skip(ahead)
        self.advance()

    def open(self, ticker: str) -> None:
        """Begin trading in a market that has not opened yet."""
        self._tell(self.exchange.open(ticker, self.market_clock.now()))

    def pause(self, ticker: str) -> None:
        """Halt trading in a market."""
        self._tell(self.exchange.pause(ticker, self.market_clock.now()))

    def resume(self, ticker: str) -> None:
        """Trade again in a halted market."""
        self._tell(self.exchange.resume(ticker, self.market_clock.now()))

    def reschedule(self, ticker: str, closes_in: timedelta) -> None:
        """Let trading end at another time."""
        now = self.market_clock.now()
        self._tell(self.exchange.reschedule(ticker, now + closes_in, now))

    def close(self, ticker: str) -> None:
        """End trading in a market."""
        self._tell(self.exchange.close(ticker, self.market_clock.now()))

    def determine(self, ticker: str, yes_value: Decimal) -> None:
        """Decide a market: a YES contract pays `yes_value`."""
        self._tell(self.exchange.determine(ticker, yes_value, self.market_clock.now()))

    def dispute(self, ticker: str) -> None:
        """Question the outcome of a market."""
        self._tell(self.exchange.dispute(ticker, self.market_clock.now()))

    def amend(self, ticker: str, yes_value: Decimal) -> None:
        """Decide a disputed market again."""
        self._tell(self.exchange.amend(ticker, yes_value, self.market_clock.now()))

    def settle(self, ticker: str) -> None:
        """Pay out a decided market."""
        self._tell(self.exchange.settle(ticker, self.market_clock.now()))

    def amend_paid(self, ticker: str, yes_value: Decimal) -> None:
        """Decide a market anew that was paid out."""
        self._tell(self.exchange.amend_paid(ticker, yes_value, self.market_clock.now()))

    def list_event(self, offering: Offering) -> None:
        """List an event that trades at once; ValueError as `Offering.listing`, and for a second."""
        if offering.event_ticker in self.exchange.events:
            raise ValueError(f"{offering.event_ticker} is listed already")
        now = self.market_clock.now()
        self._tell(self.exchange.list_event(*offering.listing(now), now))

    def set_fees(self, event_ticker: str, override: tuple[FeeType, Decimal] | None) -> None:
        """Give an event fees of its own, or with None its series' again."""
        self._tell(self.exchange.set_fees(event_ticker, override))

    def archive(self, age: timedelta) -> None:
        """Move what is older than that out of the live data."""
        self.exchange.archive(self.market_clock.now() - age)

    # Members

    def open_account(
        self, cash: dict[int, Decimal] | None = None, *, precision: Decimal = DIRECT
    ) -> Account:
        """
        A second member, with $1,000 in the primary subaccount unless told otherwise.

        ValueError as `Exchange.open_account`.
        """
        now = self.market_clock.now()
        return self.exchange.open_account(cash or {0: Decimal(1000)}, now, precision=precision)

    def transfer(
        self,
        direction: Direction,
        amount_cents: int,
        *,
        fee_cents: int = 0,
        method: Method = "ach",
        status: TransferStatus = "applied",
        account: Account | None = None,
    ) -> Transfer:
        """Move money in or out; ValueError as `Exchange.transfer`."""
        return self.exchange.transfer(
            account or self.account,
            direction,
            amount_cents,
            self.market_clock.now(),
            fee_cents=fee_cents,
            method=method,
            status=status,
        )

    def finish_transfer(
        self, transfer_id: str, status: TransferStatus, *, account: Account | None = None
    ) -> None:
        """Let a transfer be applied, fail or come back; KeyError when there is none such."""
        now = self.market_clock.now()
        self.exchange.finish_transfer(account or self.account, transfer_id, status, now)

    def move_cash(
        self, source: int, destination: int, amount_cents: int, *, account: Account | None = None
    ) -> None:
        """Move cash between subaccounts; errors as `Exchange.move_cash`."""
        now = self.market_clock.now()
        self.exchange.move_cash(account or self.account, source, destination, amount_cents, now)

    def move_instance(self, dollars: Decimal, *, account: Account | None = None) -> None:
        """Move cash to the margined exchange, or back; ValueError as `Exchange.move_instance`."""
        self.exchange.move_instance(account or self.account, dollars, self.market_clock.now())

    def pay_untold(
        self, dollars: Decimal, *, subaccount: int = 0, account: Account | None = None
    ) -> None:
        """Pay or take what no call tells; errors as `Exchange.pay_untold`."""
        now = self.market_clock.now()
        self.exchange.pay_untold(account or self.account, dollars, now, subaccount=subaccount)

    def set_netting(
        self, subaccount: int, enabled: bool, *, account: Account | None = None
    ) -> None:
        """Return collateral early in a subaccount, or not; KeyError when there is none such."""
        now = self.market_clock.now()
        self.exchange.set_netting(account or self.account, subaccount, enabled, now)

    def add_key(
        self,
        credentials: Credentials,
        *,
        scopes: tuple[str, ...] = ("read",),
        subaccount: int | None = None,
        account: Account | None = None,
        name: str = "sandbox",
    ) -> None:
        """Let a key sign for a member."""
        key = ApiKey(
            api_key_id=credentials.api_key_id,
            user_id=(account or self.account).user_id,
            name=name,
            scopes=scopes,
            public_key=credentials.public_key(),
            subaccount=subaccount,
        )
        self.exchange.add_key(key)

    def revoke_key(self, api_key_id: str) -> None:
        """Forget a key and cut its connections; KeyError when there is none of that id."""
        self.exchange.revoke_key(api_key_id)
        for connection in self.connections:
            if connection.session.key.api_key_id == api_key_id:
                connection.cut()

    def renew_key(self, private_key: str) -> None:
        """
        Refuse the demonstration key from now on, and take another in its place.

        Under the same id, by which whoever comes back with the new one is known.
        """
        self.revoke_key(self.key_id)
        self.credentials = Credentials(self.key_id, private_key)
        self.add_key(self.credentials, name="demonstration")
        if self.key_keeper is not None:
            self.key_keeper()

    # Faults

    def drop_connections(self) -> None:
        """Cut every WebSocket as the exchange does: without a close frame."""
        for connection in self.connections:
            connection.cut()

    def reset_connections(self) -> None:
        """Cut every WebSocket with a TCP reset."""
        for connection in self.connections:
            connection.cut(reset=True)

    def fail_channel(self, channel: str, code: int) -> int:
        """End every subscription of a channel with an error, 10 or 25; how many there were."""
        return sum(connection.fail(channel, code) for connection in self.connections)

    def freeze(self) -> None:
        """Keep every connection, and neither send nor read anything more."""
        self.flow.clear()
        for connection in self.connections:
            connection.stop_reading()

    def thaw(self) -> None:
        """Go on where everything froze."""
        self.flow.set()
        for connection in self.connections:
            connection.resume_reading()

    def lag(self, *, account: timedelta = timedelta(), markets: timedelta = timedelta()) -> None:
        """
        Let REST tell of a member or of markets what was so long ago in the markets' time.

        The past begins when a lag is set: until then there is nothing older. With none the present
        is told again. ValueError for a lag below 0 or of more than a day.
        """
        reach = max(account, markets)
        if min(account, markets) < timedelta() or reach > _LONGEST_LAG:
            raise ValueError("a lag is from 0 to 86400 seconds")
        self.lags = {"account": account, "markets": markets}
        if self._past is not None and reach:
            self._past.reach = reach
        elif reach:
            self._past = Past(self.exchange, self.market_clock.now, reach)
        elif self._past is not None:
            self._past.end()
            self._past = None

    def as_of(self, subject: Subject) -> datetime:
        """The moment that REST tells of."""
        return self.market_clock.now() - self.lags[subject]

    def told_of(self, subject: Subject | None) -> Exchange:
        """The exchange as REST tells of it."""
        if self._past is None or subject is None or not self.lags[subject]:
            return self.exchange
        return self._past.as_of(self.as_of(subject))

    def begin_maintenance(self, lasting: timedelta) -> None:
        """Stop the whole exchange: 503 for all but its status, connections cut."""
        self.exchange.exchange_active = False
        self.exchange.resume_time = self.market_clock.now() + lasting
        self.is_refusing = True
        self.drop_connections()

    def begin_trading_pause(self, lasting: timedelta) -> None:
        """Thursday's pause: nothing trades, WebSockets are cut, REST goes on answering."""
        self.exchange.trading_active = False
        self.exchange.resume_time = self.market_clock.now() + lasting
        self.drop_connections()

    def reopen(self) -> None:
        """End a maintenance or a pause."""
        self.exchange.exchange_active = self.exchange.trading_active = True
        self.exchange.resume_time = None
        self.is_refusing = False

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self.thaw()
        self.reopen()
        self.lag()
        self.faults.clear()

    def _tell(self, happened: tuple[Happening, ...]) -> None:
        if not self.connections:
            return
        sent_at_ms = wire.milliseconds(self.now())
        for happening in happened:
            for message in frames.messages(happening):
                for connection in self.connections:
                    connection.publish(message, sent_at_ms)
