"""What `manage.py export` can write: lists by their names."""

from ledger.asked import Asked
from ledger.day_list import DAYS
from ledger.equity_list import EQUITY
from ledger.lists import List
from ledger.paging import Page
from ledger.trade_reading import TRADES
from ledger.what_happened import FILLS, SETTLEMENTS, TRANSFERS
from positions import reading
from positions.documents import position_document
from positions.schemas import PositionOut


def _open_positions(asked: Asked) -> Page:
    return Page(
        [
            position_document(row)
            for account_id in asked.account_ids
            for row in reading.read(account_id).positions
        ]
    )


POSITIONS = List("positions", tuple(PositionOut.model_fields), _open_positions, has_period=False)

EXPORTS: dict[str, List] = {
    each.name: each
    for each in (
        POSITIONS,
        FILLS,
        SETTLEMENTS,
        TRANSFERS,
        TRADES,
        EQUITY,
        DAYS,
    )
}
