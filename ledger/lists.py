"""
The lists of what happened: what each is called, what its rows tell, and how a page is read.

One declaration serves its endpoint, its CSV and `manage.py export`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

from accounts.sessions import SignedInRequest
from ledger.asked import MOST_ROWS, Asked, ListQuery, asked_of
from ledger.csv_stream import csv_response
from ledger.paging import Page, Source, page_of
from positions.documents import Document


@dataclass(frozen=True, slots=True)
class List:
    """
    A list.

    Attributes:
        columns: the fields of a row, in order.
        page: reads the page that is asked for.
    """

    name: str
    columns: tuple[str, ...]
    page: Callable[[Asked], Page]

    def pages(self, asked: Asked) -> Iterator[list[Document]]:
        """Everything from the cursor on; each `next` reads a page, and holds nothing after."""
        asked = asked.with_limit(MOST_ROWS)
        while True:
            page = self.page(asked)
            yield page.rows
            if page.next is None:
                return
            asked = asked.after(page.next)

    def answer(
        self, request: SignedInRequest, query: ListQuery
    ) -> HttpResponse | StreamingHttpResponse:
        """What a request for it is answered with, JSON or CSV."""
        asked = asked_of(request, query)
        if asked.wants_csv:
            return csv_response(request, self._file_name(asked), self.columns, self.pages(asked))
        page = self.page(asked)
        return JsonResponse({self.name: page.rows, "next": page.next})

    def _file_name(self, asked: Asked) -> str:
        accounts = "-".join(str(account_id) for account_id in asked.account_ids[:10])
        days = [at.date().isoformat() for at in (asked.period.since, asked.period.until) if at]
        return "-".join(["kalshi", self.name, f"account-{accounts}", *days])


def keyset(name: str, columns: Iterable[str], sources: Callable[[Asked], Sequence[Source]]) -> List:
    """A list whose rows are those of some sources, newest first."""

    def page(asked: Asked) -> Page:
        return page_of(sources(asked), of=name, limit=asked.limit, cursor=asked.cursor)

    return List(name, tuple(columns), page)
