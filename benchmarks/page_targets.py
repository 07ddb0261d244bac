"""What the page must be, what it was measured to be, and the table that sets them side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure, as it is shown, must keep."""

    bound: float
    is_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:,g}"


def most(bound: float) -> Target:
    return Target(bound)


def least(bound: float) -> Target:
    return Target(bound, is_least=True)


@dataclass(frozen=True, slots=True)
class Row:
    """
    One figure.

    Attributes:
        load: what the page was given meanwhile.
        what: with its unit.
        value: judged as it is shown, rounded to `decimals`.
        target: None where the figure only explains others.
        note: such as the longest, where the value is the middle.
    """

    load: str
    what: str
    value: float
    target: Target | None = None
    decimals: int = 0
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """None without a target."""
        return self.target.is_met(round(self.value, self.decimals)) if self.target else None


def table(rows: Sequence[Row]) -> str:
    """All figures in Markdown."""
    lines = ["| load | what | target | measured | verdict |", "|---|---|---|---|---|"]
    verdicts = {None: "", True: "met", False: "**missed**"}
    for row in rows:
        measured = f"{row.value:,.{row.decimals}f}" + (f" ({row.note})" if row.note else "")
        target = str(row.target) if row.target else ""
        lines.append(
            f"| {row.load} | {row.what} | {target} | {measured} | {verdicts[row.is_met]} |"
        )
    return "\n".join(lines)


def as_documents(rows: Iterable[Row]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        asdict(row) | {"target": str(row.target) if row.target else None, "is_met": row.is_met}
        for row in rows
    ]


def missed(rows: Iterable[Row]) -> list[Row]:
    """Those whose target is missed."""
    return [row for row in rows if row.is_met is False]
