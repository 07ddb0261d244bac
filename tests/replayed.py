"""One market's records and what each did, by the law of every flow."""

from collections.abc import Iterable, Iterator

from ledger.flows import NOTHING, Effect, effect_of
from ledger.records import Record
from positions.pnl import Holding


def replay(records: Iterable[Record], before: Holding = NOTHING) -> Iterator[tuple[Record, Effect]]:
    """The effects of one market's records, whatever order they arrive in."""
    held = before
    for record in sorted(records, key=lambda each: each.order):
        effect = effect_of(held, record)
        held = effect.after
        yield record, effect
