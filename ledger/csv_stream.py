"""
A list as CSV, streamed a page at a time, so that however long it is it is never held as a whole.

What a spreadsheet would take for a formula has an apostrophe in front; numbers stay numbers.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import partial

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

from accounts.turns import Turns
from positions.documents import Document

# Each page takes a connection to the database; who downloads at leisure takes none between pages.
_turns = Turns(at_once=4, waiting=256, wait_seconds=60)

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
# The wide ones too: some spreadsheets read them as the plain ones.
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_response(
    request: HttpRequest, name: str, columns: Sequence[str], pages: Iterator[Iterable[Document]]
) -> StreamingHttpResponse:
    """
    All pages as one file.

    The first is read at once: what goes wrong with it is told with a status of its own.

    Args:
        name: of the file, without its ending.
        pages: each `next` reads one.
    """
    first = [csv_header(columns), csv_text(next(pages, []), columns)]
    rest = (csv_text(page, columns) for page in pages)
    is_async = isinstance(request, ASGIRequest)
    return StreamingHttpResponse(
        _from_threads(first, rest) if is_async else _encoded(first, rest),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
            # Our own server is told by it too: see streaming.web.edge.
            "X-Accel-Buffering": "no",
        },
    )


def csv_header(columns: Sequence[str]) -> str:
    """The row of names."""
    return ",".join(columns) + "\r\n"


def csv_text(rows: Iterable[Document], columns: Sequence[str]) -> str:
    """Rows, each on a line of its own."""
    lines = io.StringIO()
    csv.writer(lines).writerows([cell(row[column]) for column in columns] for row in rows)
    return lines.getvalue()


def cell(value: object) -> str:
    """A value as it stands in a cell; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _NUMBER.fullmatch(text):
        return text
    # White space in front is not seen, and some take it off.
    is_risky = text.lstrip().startswith(_BEGINS_A_FORMULA) or text[:1] in ("\t", "\r", "\n")
    return f"'{text}" if is_risky else text


def _encoded(first: list[str], rest: Iterator[str]) -> Iterator[bytes]:
    for text in first:
        yield text.encode()
    for text in rest:
        yield text.encode()


async def _from_threads(first: list[str], rest: Iterator[str]) -> AsyncIterator[bytes]:
    # The request's own connection, in the thread that the view was in.
    await sync_to_async(connections.close_all)()
    for text in first:
        yield text.encode()
    while True:
        following = await _turns.in_thread(partial(_next_of, rest))
        if following is None:
            return
        yield following.encode()
        # Where the client takes all at once nothing waits above.
        await asyncio.sleep(0)


def _next_of(pages: Iterator[str]) -> str | None:
    try:
        return next(pages, None)
    finally:
        connections.close_all()
