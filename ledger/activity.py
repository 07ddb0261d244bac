"""All that happened to accounts, in one list."""

from ledger import models
from ledger.asked import Asked
from ledger.lists import keyset
from ledger.noticing import differing_of
from ledger.paging import Source
from ledger.record_rows import fill_record, settlement_as_followed
from ledger.schemas import ActivityOut
from ledger.telling import (
    connection_text,
    fill_text,
    market_text,
    reconciliation_text,
    settlement_text,
    transfer_text,
)
from ledger.what_happened import fill_rows, of_market, settlement_rows, within
from positions.documents import Document, instant


def _fill(row: models.Fill) -> Document:
    ticker = row.market.ticker
    text = fill_text(fill_record(row, ticker), row.closed_count, row.realized_pnl)
    return _document(row, "fill", text, ticker)


def _settlement(row: models.Settlement) -> Document:
    ticker = row.market.ticker
    record = settlement_as_followed(row, ticker)
    return _document(row, "settlement", settlement_text(record), ticker)


def _transfer(row: models.Transfer) -> Document:
    text = transfer_text(
        row.kind,  # type: ignore[arg-type]  # a constraint holds it to its words
        row.amount,
        row.method,
        row.status,
        row.cash_flow,
    )
    return _document(row, "transfer", text)


def _connection(row: models.ConnectionChange) -> Document:
    text = connection_text(
        row.status,  # type: ignore[arg-type]  # as above
        row.reason,  # type: ignore[arg-type]
    )
    return _document(row, "connection", text)


def _market(row: models.MarketChange) -> Document:
    ticker = row.market.ticker
    return _document(row, "market", market_text(row.status, row.settlement_value, ticker), ticker)


def _reconciliation(row: models.Reconciliation) -> Document:
    text = reconciliation_text(differing_of(row), is_first=row.is_first)
    return _document(row, "reconciliation", text)


def _document(
    row: models.Fill
    | models.Settlement
    | models.Transfer
    | models.ConnectionChange
    | models.MarketChange
    | models.Reconciliation,
    kind: str,
    text: str,
    ticker: str | None = None,
) -> Document:
    return {
        "account_id": row.account_id,
        "at": instant(row.at),
        "kind": kind,
        "ticker": ticker,
        "text": text,
    }


def _sources(asked: Asked) -> list[Source]:
    return [source for account_id in asked.account_ids for source in _of(account_id, asked)]


def _of(account_id: int, asked: Asked) -> list[Source]:
    changed = models.MarketChange.objects.filter(account_id=account_id).select_related("market")
    changed = within(of_market(changed, account_id, asked.ticker), asked.period)
    sources = [
        Source(
            (account_id, 0), fill_rows(account_id, asked.period, asked.ticker), _fill, "trade_id"
        ),
        # After the fills of its instant, and so before them in the list.
        Source(
            (account_id, 1), settlement_rows(account_id, asked.period, asked.ticker), _settlement
        ),
        Source((account_id, 5), changed, _market),
    ]
    if asked.ticker is not None:
        return sources
    # Each stage of a transfer: it is when something changed.
    transfers = models.Transfer.objects.filter(account_id=account_id)
    changes = models.ConnectionChange.objects.filter(account_id=account_id)
    read = models.Reconciliation.objects.filter(account_id=account_id)
    return [
        *sources,
        Source((account_id, 2), within(transfers, asked.period), _transfer),
        Source((account_id, 3), within(changes, asked.period), _connection),
        Source((account_id, 4), within(read, asked.period), _reconciliation),
    ]


ACTIVITY = keyset("activity", ActivityOut.model_fields, _sources)
