"""Every explanation computes to exactly the value that is shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.explaining import TOLD, DayStart, Explanation, Recorded, explained, explained_flat
from ledger.flows import NOTHING
from ledger.records import Fill, Record, Settlement
from positions.pnl import Holding, MarketState, Quote, figures_of
from tests.formulas import computed
from tests.replayed import replay

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

prices = st.integers(1, 9_999).map(lambda number: Decimal(number).scaleb(-4))
counts = st.integers(1, 100_000).map(lambda number: Decimal(number).scaleb(-2))
fees = st.integers(0, 99_999).map(lambda number: Decimal(number).scaleb(-6))
fills = st.lists(
    st.builds(
        Fill,
        trade_id=st.uuids().map(str),
        order_id=st.just("o"),
        ticker=st.just("M"),
        at=st.integers(0, 10).map(lambda seconds: NOON + timedelta(seconds=seconds)),
        side=st.sampled_from(["yes", "no"]),
        count=counts,
        price=prices,
        fee=fees,
    ),
    min_size=1,
    max_size=12,
)
quotes = st.builds(
    Quote,
    yes_bid=st.none() | prices,
    yes_ask=st.none() | prices,
    last_price=st.none() | prices,
    priced_at=st.just(NOON),
)
states = st.sampled_from(
    [
        MarketState("active"),
        MarketState("closed"),
        MarketState("unknown"),
        MarketState("determined", Decimal("0.375")),
        MarketState("finalized", Decimal(1)),
    ]
)


def recorded(records: list[Record]) -> tuple[Holding, Recorded]:
    """What is held after records, and what those add up to by another way."""
    held = NOTHING
    bought = {"yes": Decimal(0), "no": Decimal(0)}
    opening = closing = by_fills = by_payouts = paid = fee = Decimal(0)
    for record, effect in replay(records):
        held = effect.after
        if isinstance(record, Fill):
            bought[record.side] += record.count
            opening += (record.count - effect.closed_count) * record.price
            closing += effect.closed_count * (1 - record.price) - effect.realized_pnl
            by_fills += effect.realized_pnl
            fee += record.fee
        else:
            paid += record.quantity
            closing += record.exposure
            by_payouts += effect.realized_pnl
    sums = (opening, closing, by_fills, by_payouts, fee)
    return held, Recorded(bought["yes"], bought["no"], paid, *sums, len(records), ())


def assert_computes(explanation: Explanation) -> None:
    given = [(each.name, each.value) for each in explanation.given]
    assert computed(explanation.formula, given) == explanation.value, explanation


@given(fills, quotes, states, st.sampled_from(["bid", "mid", "last"]), st.booleans())
def test_each_figure_of_an_open_position(made, quote, state, mark_price, is_recorded):
    holding, sums = recorded(list(made))
    if not holding.quantity:
        return
    figures = figures_of(holding, quote, state, mark_price)
    day = None if figures.net_pnl is None else figures.net_pnl - 7

    explanations = list(
        explained(
            holding,
            quote,
            state,
            figures,
            day_pnl=day,
            day_start=None if day is None else DayStart(Decimal(7), NOON, "then"),
            told_at=NOON,
            recorded=sums if is_recorded else None,
        )
    )

    for each in explanations:
        assert_computes(each)
    sources = {each.field: each.given[0].source for each in explanations}
    told = {field for field, source in sources.items() if source == TOLD}
    assert told == (set() if is_recorded else {"quantity", "exposure", "realized_pnl", "fees_paid"})
    expected = {"average_price", "mark", "market_value", "unrealized_pnl", "net_pnl", "day_pnl"}
    assert expected <= sources.keys()


@given(fills, st.booleans())
def test_each_figure_of_a_position_that_was_paid_out(made, has_won):
    before, _ = recorded(list(made))
    value = Decimal(has_won)
    paid = before.count * (value if before.quantity > 0 else 1 - value)
    settlement = Settlement(
        "M",
        NOON + timedelta(minutes=1),
        "yes" if has_won else "no",
        value,
        before.quantity,
        before.exposure,
        paid,
        before.fees_paid,
    )
    holding, sums = recorded([*made, settlement])

    day_start = DayStart(Decimal(1), NOON, "its net P&L then")
    explanations = list(
        explained_flat(
            holding,
            day_pnl=holding.realized_pnl - holding.fees_paid - 1,
            day_start=day_start,
            told_at=NOON,
            recorded=sums,
        )
    )

    for each in explanations:
        assert_computes(each)
        assert each.given[0].source != TOLD
    assert [each.field for each in explanations] == [
        "quantity",
        "exposure",
        "realized_pnl",
        "fees_paid",
        "net_pnl",
        "day_pnl",
    ]


def test_what_the_records_do_not_lead_to_is_said_to_be_told():
    holding, sums = recorded(
        [Fill("t", "o", "M", NOON, "yes", Decimal(10), Decimal("0.4"), Decimal("0.17"))]
    )
    holding = replace(holding, realized_pnl=Decimal("-0.17"))

    explanations = explained_flat(
        holding, day_pnl=None, day_start=None, told_at=NOON, recorded=sums
    )
    by_field = {each.field: each for each in explanations}

    assert by_field["realized_pnl"].formula == "realized_pnl"
    assert by_field["realized_pnl"].given[0].source == TOLD
    assert by_field["exposure"].formula == "opening_cost - cost_of_closed"
    for each in by_field.values():
        assert_computes(each)
