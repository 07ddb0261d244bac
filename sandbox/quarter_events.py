"""
What a trader's quarter trades in: its events, and how each of them ends.

Times are days since the quarter's start. All markets of an event are paid out at one moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

WEEKS = 12

_CUP = (("A", "0.38"), ("B", "0.29"), ("C", "0.17"), ("D", "0.09"))
_WINNERS = (("1", "0", "0", "0"), ("0", "1", "0", "0"), ("0", "0", "1", "0"), ("0", "0", "0", "1"))


@dataclass(frozen=True, slots=True)
class Plan:
    """
    One event.

    Args:
        outcomes: what each market's ticker ends in, with its first YES bid in dollars.
        trades: how many times the trader acts in it.
        values: what a YES contract of each outcome pays at last, in dollars.
        disputed: what it was first decided to pay, and corrected before the payout.
        corrected: what it paid at first, and was corrected days after the payout.
        paused: the days between which its first market does not trade.
    """

    event: str
    title: str
    outcomes: tuple[tuple[str, str], ...]
    grid: str
    opens: float
    closes: float
    decided: float
    trades: int
    values: tuple[str, ...]
    disputed: tuple[str, ...] | None = None
    corrected: tuple[str, ...] | None = None
    paused: tuple[float, float] | None = None
    mutually_exclusive: bool = False
    fee_type: str = "quadratic"
    category: str = "Economics"

    @property
    def series(self) -> str:
        return self.event.partition("-")[0]

    @property
    def tickers(self) -> tuple[str, ...]:
        return tuple(f"{self.event}-{suffix}" for suffix, _ in self.outcomes)


def plans(random: Random) -> Iterator[Plan]:
    """The events of a quarter: three that last, and those of each week."""
    yield from _LASTING
    for week in range(WEEKS):
        yield _cup(week, random)
        yield _rain(week, random)
        if week % 3 == 1:
            yield _index(week, random)


_LASTING = (
    Plan(
        "KXQYEAR-1", "Will it be a good year?", (("YES", "0.42"),), "tapered_deci_cent",
        opens=1, closes=86, decided=86.2, trades=14, values=("1",),
    ),
    # Nobody knows how it ended for three weeks.
    Plan(
        "KXQCOUNT-1", "Who wins the recount?", (("HOME", "0.55"),), "linear_cent",
        opens=2, closes=20, decided=41, trades=9, values=("0",), category="Elections",
    ),
    Plan(
        "KXQCOMET-1", "Will the comet be seen?", (("SEEN", "0.0086"),),
        "center_deci_edge_centi_cent",
        opens=3, closes=80, decided=80.1, trades=9, values=("0",), category="Climate and Weather",
    ),
)  # fmt: skip


def _cup(week: int, random: Random) -> Plan:
    """Four outcomes that exclude each other; collateral comes back on the NO that is held."""
    start = 7 * week
    plan = Plan(
        f"KXQCUP-{week + 1}",
        f"Who wins cup {week + 1}?",
        _CUP,
        "linear_cent" if week % 2 else "tapered_deci_cent",
        opens=start + 0.25,
        closes=start + 6,
        decided=start + 6.1,
        trades=9,
        values=random.choice(_WINNERS),
        mutually_exclusive=True,
        fee_type="quadratic_with_maker_fees",
        category="Sports",
    )
    match week:
        case 2 | 6:
            return replace(plan, paused=(start + 2.1, start + 2.9))
        case 3:
            return replace(plan, disputed=_WINNERS[0], values=_WINNERS[1])
        case 5:
            return replace(plan, corrected=_WINNERS[1], values=_WINNERS[2])
        case 7:
            return replace(plan, values=("0", "0", "0", "0"))
        case 9:
            return replace(plan, values=("0.55", "0.45", "0", "0"))
    return plan


def _rain(week: int, random: Random) -> Plan:
    """Yes or no, at prices finer than a cent."""
    start = 7 * week
    plan = Plan(
        f"KXQRAIN-{week + 1}",
        f"Will it rain in week {week + 1}?",
        (("RAIN", "0.465"),),
        "deci_cent",
        opens=start + 0.5,
        closes=start + 5,
        decided=start + 5.05,
        trades=7,
        values=(random.choice(("0", "1")),),
        category="Climate and Weather",
    )
    match week:
        case 1 | 10:
            return replace(plan, values=("1",))
        case 2 | 11:
            return replace(plan, values=("0",))
        case 4:
            return replace(plan, disputed=("0",), values=("0.35",))
        case 8:
            return replace(plan, corrected=("1",), values=("0",))
    return plan


def _index(week: int, random: Random) -> Plan:
    """A result between yes and no."""
    start = 7 * week
    return Plan(
        f"KXQINDEX-{week + 1}",
        f"Where is the index in week {week + 1}?",
        (("LEVEL", "0.51"),),
        "linear_cent",
        opens=start + 0.75,
        closes=start + 6.5,
        decided=start + 6.6,
        trades=6,
        values=(f"0.{random.randint(21, 79)}",),
    )
