"""
Lists of what happened, newest first, a page at a time, over several accounts and kinds of rows.

Each page is read by where the one before it ended, never by how many rows came before, so that the
last page costs what the first does, and rows that come meanwhile move nothing.

The order: by instant, then by source (`Source.rank`), then by the source's own key; all descending.
Keys of different sources are never compared, as text in Python may sort otherwise than in the
database.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet

from accounts.errors import InvalidRequest
from positions.documents import Document

Rank = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """
    The rows of one kind of one account.

    Attributes:
        rank: its place among the rows of one instant; no two sources of a list have the same.
        rows: all that are wanted, in any order; an index on the account, `at` and `key` serves it.
        document: what is told of a row.
        key: tells the rows of one instant apart; a name of a column, or of an annotation, as `at`.
    """

    rank: Rank
    rows: QuerySet[Any]
    document: Callable[[Any], Document]
    key: str = "pk"
    at: str = "at"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in the order of its list."""

    at: datetime
    rank: Rank
    key: str | int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and a cursor that leads to those after them; None after the last."""

    rows: list[Document]
    next: str | None = None


def page_of(sources: Sequence[Source], *, of: str, limit: int, cursor: str | None) -> Page:
    """
    The rows after the cursor, newest first.

    Args:
        of: the list's name, which its cursors hold for.
    Raises:
        InvalidRequest: the cursor is none of this list's.
    """
    after = None if cursor is None else place_of(cursor, of)
    merged = heapq.merge(
        *(_after(source, after, limit + 1) for source in sources),
        key=lambda placed: (placed[0].at, placed[0].rank),
        reverse=True,
    )
    found = list(islice(merged, limit + 1))
    rows = [document() for _, document in found[:limit]]
    return Page(rows, cursor_of(found[limit - 1][0], of) if len(found) > limit else None)


def cursor_of(place: Place, of: str) -> str:
    """A place as text that leads on from it; signed, so that nobody makes one up."""
    told = [place.at.astimezone(UTC).isoformat(), list(place.rank), place.key]
    return signing.dumps(told, salt=_salt(of))


def place_of(cursor: str, of: str) -> Place:
    """
    The place that a cursor stands for.

    Raises:
        InvalidRequest: it is none of this list's.
    """
    try:
        at, rank, key = signing.loads(cursor, salt=_salt(of))
    except signing.BadSignature:
        raise InvalidRequest(
            "“cursor” must be what “next” of this same list was, unchanged."
        ) from None
    return Place(datetime.fromisoformat(at), tuple(rank), key)


def _salt(of: str) -> str:
    return f"ledger.paging.{of}"


def _after(
    source: Source, after: Place | None, limit: int
) -> Iterator[tuple[Place, Callable[[], Document]]]:
    rows = source.rows
    if after is not None:
        rows = rows.filter(_is_after(source, after))
    for row in rows.order_by(f"-{source.at}", f"-{source.key}")[:limit]:
        place = Place(getattr(row, source.at), source.rank, getattr(row, source.key))
        # Only of those that are on the page in the end.
        yield place, partial(source.document, row)


def _is_after(source: Source, after: Place) -> Q:
    if source.rank > after.rank:
        return Q(**{f"{source.at}__lt": after.at})
    # The bound by itself is what the index is read from.
    since = Q(**{f"{source.at}__lte": after.at})
    if source.rank < after.rank:
        return since
    return since & (Q(**{f"{source.at}__lt": after.at}) | Q(**{f"{source.key}__lt": after.key}))
