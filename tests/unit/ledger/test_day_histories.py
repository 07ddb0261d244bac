"""Days and proofs of made-up histories, by the law of every flow."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.days import Point, Records, day_between
from ledger.flows import NOTHING, effect_of
from ledger.proof import Moved, Told, prove
from ledger.records import Fill, Settlement
from positions.pnl import Holding

START = datetime(2026, 11, 23, 5, tzinfo=UTC)
ZERO = Decimal(0)
LAST = 100


@dataclass(frozen=True)
class Transfer:
    at: datetime
    amount: Decimal


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def fill(second: int, ticker: str, side: str, count: int, price: int, fee: int) -> Fill:
    return Fill(
        trade_id=f"{second} {ticker} {side} {count}",
        order_id="order",
        ticker=ticker,
        at=at(second),
        side=side,
        count=Decimal(count) / 4,
        price=Decimal(price) / 1000,
        fee=Decimal(fee) / 10_000,
    )


fills = st.builds(
    fill,
    st.integers(1, LAST),
    st.sampled_from("ABC"),
    st.sampled_from(["yes", "no"]),
    st.integers(1, 40),
    st.integers(1, 999),
    st.integers(0, 2000),
)
transfers = st.builds(
    Transfer,
    st.integers(1, LAST).map(at),
    st.integers(-9999, 9999).map(lambda cents: Decimal(cents) / 100),
)
# A market that is paid then, at this value of its YES in dollars.
payouts = st.dictionaries(
    st.sampled_from("ABC"), st.tuples(st.integers(1, LAST), st.sampled_from([0, 1]))
)
marks = st.fixed_dictionaries(
    {ticker: st.integers(1, 99).map(lambda cents: Decimal(cents) / 100) for ticker in "ABC"}
)


@dataclass
class Account:
    """What an account has and has done, as the exchange would know it."""

    cash: Decimal
    held: dict[str, Holding]
    moved: list[Moved]

    @classmethod
    def after(cls, events: Sequence, cash: Decimal = ZERO) -> "Account":
        account = cls(cash, defaultdict(lambda: NOTHING), [])
        for event in events:
            account.happen(event)
        return account

    def happen(self, event) -> None:
        if isinstance(event, Transfer):
            self.cash += event.amount
            self.moved.append(Moved(event.at, "deposits", event.amount))
            return
        if isinstance(event, tuple):
            event = self.payout(*event)
            self.moved.append(Moved(event.at, "settlements", event.revenue))
        else:
            self.moved.append(Moved(event.at, "fills", -event.count * event.price))
            self.moved.append(Moved(event.at, "fees", -event.fee))
        effect = effect_of(self.held[event.ticker], event)
        self.held[event.ticker] = effect.after
        self.cash += effect.cash_flow
        if isinstance(event, Fill):
            self.moved.append(Moved(event.at, "netted_pairs", effect.closed_count))

    def payout(self, ticker: str, when: datetime, value: int) -> Settlement:
        held = self.held[ticker]
        side_value = value if held.quantity > 0 else 1 - value
        return Settlement(
            ticker=ticker,
            at=when,
            result="yes" if value else "no",
            value=Decimal(value),
            quantity=held.quantity,
            exposure=held.exposure,
            revenue=abs(held.quantity) * side_value,
            fees_paid=held.fees_paid,
        )

    def point(self, second: int, marks: dict[str, Decimal]) -> Point:
        worth, nets = self.cash, {}
        for ticker, held in self.held.items():
            if held.quantity:
                mark = marks[ticker] if held.quantity > 0 else 1 - marks[ticker]
                value = abs(held.quantity) * mark
                worth += value
                nets[ticker] = held.realized_pnl + value - held.exposure - held.fees_paid
        return Point(at(second), worth, nets)

    def records(self) -> dict[str, Records]:
        return {
            ticker: Records(held.realized_pnl - held.fees_paid, is_flat=not held.quantity)
            for ticker, held in self.held.items()
        }


def in_order(fills: list[Fill], transfers: list[Transfer], payouts: dict) -> list:
    """All that happened; nothing is traded in a market once it has paid."""
    ends = {ticker: at(second) for ticker, (second, _) in payouts.items()}
    traded = [each for each in fills if each.at < ends.get(each.ticker, at(LAST + 1))]
    paid = [(ticker, at(second), value) for ticker, (second, value) in payouts.items()]
    return sorted(
        [*traded, *transfers, *paid],
        key=lambda event: event[1] if isinstance(event, tuple) else event.at,
    )


def until(events: list, second: int) -> list:
    return [
        each for each in events if (each[1] if isinstance(each, tuple) else each.at) <= at(second)
    ]


@given(
    st.lists(fills, max_size=25),
    st.lists(transfers, max_size=4),
    payouts,
    st.integers(0, LAST),
    marks,
    marks,
)
def test_markets_explain_the_whole_day_whatever_happened(
    fills, transfers, payouts, opens, before, after
):
    events = in_order(fills, transfers, payouts)
    then, now = Account.after(until(events, opens)), Account.after(events)
    flows = sum((each.amount for each in transfers if each.at > at(opens)), ZERO)
    untraded = {ticker: Records(ZERO) for ticker in now.held}

    day = day_between(
        then.point(opens, before),
        now.point(LAST, after),
        flows,
        untraded | then.records(),
        now.records(),
    )

    assert sum(part.amount for part in day.parts) == day.day_pnl
    assert all(part.ticker is not None for part in day.parts)


@given(
    st.lists(fills, max_size=25),
    st.lists(transfers, max_size=4),
    payouts,
    st.lists(st.integers(0, LAST), min_size=2, max_size=9),
    st.integers(-500, 500),
)
def test_a_proof_finds_exactly_what_was_paid_untold(fills, transfers, payouts, looks, untold):
    events = in_order(fills, transfers, payouts)
    opening, secret = Decimal("1000"), Decimal(untold) / 100
    paid_at = at(LAST // 2)
    balances = []
    for second in looks:
        cash = Account.after(until(events, second), opening).cash
        balances.append(
            Told(at(second), at(second), cash + (secret if at(second) >= paid_at else ZERO))
        )

    proof = prove(balances, Account.after(events).moved)

    spans = proof.opening.until < paid_at <= proof.closing.until
    assert proof.residual == (secret if spans else ZERO)
    assert len(proof.unexplained) == (1 if spans and secret else 0)
    steps = sum(step.amount for step in proof.steps)
    assert proof.opening.amount + steps + proof.residual == proof.closing.amount
