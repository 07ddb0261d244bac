from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.records import Fill, Record, Settlement
from ledger.statistics import Tally
from ledger.trades import Trade, follow
from tests.replayed import replay
from tests.tallies import tally_of
from tests.told import NOON, at

D = Decimal


def fill(number: int, side: str, count: str, price: str, fee: str = "0", seconds=None) -> Fill:
    when = at(number if seconds is None else seconds)
    return Fill(f"t{number:04}", "o", "M", when, side, D(count), D(price), D(fee))


def payout(seconds: float, result: str, quantity: str, cost: str, revenue: str, **rest):
    return Settlement(
        "M", at(seconds), result, None, D(quantity), D(cost), D(revenue), D(0), **rest
    )


def trades_of(records: list[Record]) -> list[Trade]:
    found: dict[int, Trade] = {}
    last = None
    for record, effect in replay(records):
        for trade in follow(last, record, effect.after.exposure):
            found[trade.number] = last = trade
    return list(found.values())


def test_bought_and_sold_by_halves():
    [trade] = trades_of(
        [
            fill(0, "yes", "10", "0.40", "0.17"),
            fill(60, "no", "4", "0.45", "0.07"),
            fill(100, "no", "6", "0.50", "0.10"),
        ]
    )

    assert (trade.side, trade.opened_at, trade.closed_at) == ("yes", NOON, at(100))
    # 10 x 0.40 = 4; 4 x 0.55 + 6 x 0.50 = 5.20
    assert (trade.count, trade.entry_cost, trade.exit_value) == (D(10), D("4"), D("5.2"))
    assert (trade.average_entry_price, trade.average_exit_price) == (D("0.4"), D("0.52"))
    # 5.20 - 4 - 0.34
    assert (trade.fees_paid, trade.net_pnl, trade.result) == (D("0.34"), D("0.86"), None)
    # 4 x 60 + 6 x 100
    assert trade.contract_seconds == D(840)


def test_flip_ends_one_and_opens_the_next_and_splits_the_fee():
    first, second = trades_of(
        [fill(0, "yes", "3", "0.50"), fill(10, "no", "10", "0.40", "0.100001")]
    )

    # 0.100001 x 3 / 10 = 0.0300003
    assert (first.closed_at, first.fees_paid) == (at(10), D("0.03"))
    assert first.net_pnl == 3 * D("0.60") - D("1.5") - D("0.03")
    assert (second.number, second.side, second.opened_at, second.closed_at) == (
        2,
        "no",
        at(10),
        None,
    )
    assert (second.count, second.entry_cost, second.fees_paid) == (D(7), D("2.8"), D("0.070001"))


def test_half_of_the_last_digit_of_a_fee_goes_to_the_even_one():
    halves = [fill(0, "yes", "1", "0.5"), fill(1, "no", "2", "0.5", "0.000005")]

    first, second = trades_of(halves)

    # 0.0000025 and 0.0000025
    assert (first.fees_paid, second.fees_paid) == (D("0.000002"), D("0.000003"))


def test_settlement_ends_a_trade_with_its_result():
    [trade] = trades_of([fill(0, "no", "10", "0.30", "0.15"), payout(9, "no", "-10", "3", "10")])

    assert (trade.result, trade.closed_at, trade.average_exit_price) == ("no", at(9), D(1))
    assert trade.net_pnl == D("6.85")


def test_scalar_payout_is_in_whole_cents():
    [trade] = trades_of(
        [fill(0, "yes", "3", "0.30"), payout(9, "scalar", "3", "0.9", "1.00")],
    )

    assert (trade.result, trade.average_exit_price, trade.net_pnl) == (
        "scalar",
        D("0.333333"),
        D("0.1"),
    )


def test_settlement_of_nothing_is_no_trade():
    records = [
        fill(0, "yes", "1", "0.3"),
        fill(1, "no", "1", "0.6"),
        payout(9, "yes", "0", "0", "0"),
    ]

    [trade] = trades_of(records)

    assert (trade.closed_at, trade.result) == (at(1), None)
    assert trades_of([payout(9, "yes", "0", "0", "0")]) == []


def test_correction_changes_the_trade_that_was_settled_and_not_its_time():
    settled = [fill(0, "yes", "10", "0.30"), payout(9, "no", "10", "3", "0")]

    [trade] = trades_of([*settled, payout(99, "yes", "10", "3", "10", paid_before=D(0))])

    assert (trade.result, trade.closed_at, trade.net_pnl) == ("yes", at(9), D(7))


def test_open_trade_says_what_it_locked_in_by_the_average_cost():
    [trade] = trades_of(
        [
            fill(0, "yes", "1", "0.40"),
            fill(1, "yes", "2", "0.50"),
            fill(2, "no", "1", "0.40", "0.02"),
        ]
    )

    # The average is 1.40 / 3.
    assert (trade.exposure, trade.realized_pnl) == (D("0.933333"), D("0.133333"))
    assert (trade.held, trade.net_pnl, trade.average_exit_price) == (D(2), None, D("0.6"))


counts = st.integers(1, 5000).map(lambda cents: D(cents).scaleb(-2))
prices = st.integers(1, 9999).map(lambda price: D(price).scaleb(-4))
fees = st.integers(0, 100000).map(lambda fee: D(fee).scaleb(-6))


@st.composite
def histories(draw) -> list[Record]:
    """A market's records: fills, some at one instant, perhaps its end and a correction."""
    instants = draw(st.lists(st.integers(0, 90), max_size=25))
    records: list[Record] = [
        Fill(
            f"t{number:03}",
            "o",
            "M",
            at(second),
            draw(st.sampled_from(["yes", "no"])),
            draw(counts),
            draw(prices),
            draw(fees),
        )
        for number, second in enumerate(instants)
    ]
    if draw(st.booleans()):
        held = [effect.after for _, effect in replay(records)]
        quantity, cost = (held[-1].quantity, held[-1].exposure) if held else (D(0), D(0))
        revenue = draw(st.integers(0, 100)) * abs(quantity) // D(100)
        end = Settlement("M", at(100), "scalar", None, quantity, cost, revenue, D(0))
        records.append(end)
        if draw(st.booleans()):
            records.append(
                Settlement(
                    "M",
                    at(110),
                    "yes",
                    None,
                    quantity,
                    cost,
                    revenue + 1,
                    D(0),
                    paid_before=revenue,
                )
            )
    return records


@given(history=histories(), data=st.data())
def test_any_order_of_arrival_gives_the_same_trades(history, data):
    assert trades_of(data.draw(st.permutations(history))) == trades_of(history)


@given(history=histories())
def test_trades_are_all_of_the_cash_that_the_records_moved(history):
    flows = sum((effect.cash_flow for _, effect in replay(history)), D(0))
    trades = trades_of(history)
    corrections = sum(
        (
            record.cash_flow
            for record in history
            if isinstance(record, Settlement) and record.paid_before is not None
        ),
        D(0),
    )
    if not trades or trades[-1].result is None:
        # What is corrected of nothing that was held belongs to no trade.
        flows -= corrections

    assert sum(each.exit_value - each.entry_cost - each.fees_paid for each in trades) == flows


@given(history=histories())
def test_trades_lock_in_what_their_market_did(history):
    trades = trades_of(history)
    fills = [record for record in history if isinstance(record, Fill)]

    realized = [effect.after for _, effect in replay(fills)]
    locked_in = sum(each.realized_pnl for each in trades_of(fills))
    fees_paid = sum(each.fees_paid for each in trades)

    assert locked_in == (realized[-1].realized_pnl if realized else 0)
    assert fees_paid == sum(each.fee for each in fills)


@given(history=histories())
def test_trades_follow_each_other_and_only_the_last_may_be_open(history):
    trades = trades_of(history)

    assert [each.number for each in trades] == list(range(1, len(trades) + 1))
    assert all(each.closed_at is not None and not each.held for each in trades[:-1])
    for one, other in pairwise(trades):
        assert one.closed_at is not None
        assert one.closed_at <= other.opened_at


@given(history=histories())
def test_holding_time_is_that_of_first_in_first_out(history):
    """Lot by lot, against the sums that a trade keeps."""
    lots: deque[list] = deque()
    held = D(0)
    expected = D(0)
    for record, _ in replay(history):
        if isinstance(record, Fill):
            signed = record.signed_count
        elif record.paid_before is None:
            signed = -held
        else:
            continue
        left = abs(signed)
        while left and held * signed < 0:
            count = min(left, lots[0][0])
            expected += count * D((record.at - lots[0][1]) / timedelta(seconds=1))
            lots[0][0] -= count
            left -= count
            held += count if signed > 0 else -count
            if not lots[0][0]:
                lots.popleft()
        if left:
            lots.append([left, record.at])
            held += left if signed > 0 else -left
    closed = [each for each in trades_of(history) if each.closed_at]
    if not lots:
        assert sum(each.contract_seconds for each in closed) == expected


@given(count=counts, entry=prices, exit=prices)
def test_yes_and_no_of_one_trade_sum_to_nothing_before_fees(count, entry, exit):
    def brought(side: str, price: Decimal, later: Decimal) -> Decimal:
        other = "no" if side == "yes" else "yes"
        [trade] = trades_of(
            [
                Fill("a", "o", "M", NOON, side, count, price, D(0)),
                Fill("b", "o", "M", NOON + timedelta(1), other, count, 1 - later, D(0)),
            ]
        )
        assert trade.net_pnl is not None
        return trade.net_pnl

    assert brought("yes", entry, exit) + brought("no", 1 - entry, 1 - exit) == 0


@given(history=histories(), cut=st.integers(0, 120))
def test_sums_of_a_period_are_those_of_its_parts(history, cut):
    def tally(since: datetime, until: datetime) -> Tally:
        closed = [
            tally_of(each)
            for each in trades_of(history)
            if each.closed_at and since <= each.closed_at < until
        ]
        return sum(closed, Tally())

    begin, middle, end = at(-1), at(cut), at(1000)

    assert tally(begin, middle) + tally(middle, end) == tally(begin, end)
