"""
Rows with something odd: fields of answers and frames that are replaced or left out.
"""

import json
from dataclasses import dataclass

from sandbox import wire
from sandbox.wire import Json

# Stands for a value: the field is left out.
ABSENT = "absent"
# Frames are named by this and their type, such as /ws/ticker.
_FRAMES = "/ws"

_LISTS = (
    "markets",
    "market_positions",
    "event_positions",
    "events",
    "api_keys",
    "fills",
    "settlements",
    "deposits",
    "withdrawals",
    "transfers",
    "subaccount_balances",
    "netting_configs",
    "orderbooks",
    "milestones",
)
_SINGLES = ("event", "market", "series")
_NAMES = ("ticker", "event_ticker", "market_ticker", "api_key_id", "trade_id", "transfer_id", "id")


@dataclass(slots=True)
class Spoil:
    """
    One field that is wrong.

    Args:
        path: of calls whose path below the version begins so; `/ws` is every frame of data and
            `/ws/ticker` those of one type.
        value: whatever JSON can hold, or ABSENT.
        row: the market, event, key, trade or transfer that is meant; empty for all.
        times: in how many answers or frames yet, None for all.
    """

    path: str
    field: str
    value: object
    row: str = ""
    times: int | None = None


def spoil_answer(spoils: list[Spoil], path: str, body: Json) -> None:
    """
    Spoil an answer on its way out; what is used up is removed.

    A row is an object of the answer's lists, its one event, market or series, or else the answer
    itself. Where no row has the field, all that are meant get it.
    """
    for spoil in [each for each in spoils if path.startswith(each.path)]:
        groups = _groups(body)
        having = [rows for rows in groups if any(spoil.field in row for row in rows)]
        if not having and spoil.value != ABSENT:
            # The answer itself is a row only where there are no others.
            having = groups[:-1] or groups
        meant = [row for rows in having for row in rows if _is_meant(spoil, row)]
        for row in meant:
            _spoil(spoil, row)
        if meant:
            _use_up(spoils, spoil)


def spoil_frame(spoils: list[Spoil], frame: str) -> str:
    """A frame of data as it is sent: spoilt where its message, or else itself, has the field."""
    of_frames = [spoil for spoil in spoils if spoil.path.startswith(_FRAMES)]
    if not of_frames:
        return frame
    decoded: Json = json.loads(frame)
    message: Json = decoded["msg"]
    for spoil in of_frames:
        is_of_type = f"{_FRAMES}/{decoded['type']}".startswith(spoil.path)
        having = next((row for row in (message, decoded) if spoil.field in row), None)
        if is_of_type and having and _is_meant(spoil, message):
            _spoil(spoil, having)
            _use_up(spoils, spoil)
    return wire.encode(decoded)


def _groups(body: Json) -> list[list[Json]]:
    """Rows that are alike; the answer itself comes last."""
    singles = [[body[name]] for name in _SINGLES if isinstance(body.get(name), dict)]
    lists = [_rows(body[name]) for name in _LISTS if name in body]
    nested = [_rows(row.get("markets")) for rows in (*singles, *lists) for row in rows]
    return [*singles, *lists, *filter(None, nested), [body]]


def _rows(value: object) -> list[Json]:
    # It may have been spoilt already.
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _is_meant(spoil: Spoil, row: Json) -> bool:
    return not spoil.row or any(row.get(name) == spoil.row for name in _NAMES)


def _spoil(spoil: Spoil, row: Json) -> None:
    if spoil.value == ABSENT:
        row.pop(spoil.field, None)
    else:
        row[spoil.field] = spoil.value


def _use_up(spoils: list[Spoil], spoil: Spoil) -> None:
    if spoil.times is not None:
        spoil.times -= 1
    if spoil.times == 0:
        spoils.remove(spoil)
