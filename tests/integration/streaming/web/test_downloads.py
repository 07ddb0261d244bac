"""Lists as CSV through the web server: whoever takes one at leisure keeps nothing from others."""

import asyncio
import csv
import io

from accounts.models import Account
from ledger.models import Fill
from streaming.web import edge
from streaming.web.asgi import StreamingHandler
from tests.integration.ledger.rows import fill, record
from tests.waiting import START_SECONDS, until

PATH = "/api/v1/account/fills"
ROWS = 2_500
AT_ONCE = 4


def fill_up(account_id: int) -> None:
    record(Account.objects.get(pk=account_id), [fill("t0000")])
    like = Fill.objects.values().get()
    del like["id"]
    Fill.objects.bulk_create(
        Fill(**like | {"trade_id": f"t{number:04}"}) for number in range(1, ROWS)
    )


class Download:
    """A client that takes the first piece of an answer, and the rest when it is told to."""

    def __init__(self, application: StreamingHandler, token: str) -> None:
        self.messages: list[dict] = []
        self.has_begun = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.leaves = asyncio.Event()
        self._asks = iter([{"type": "http.request", "body": b"", "more_body": False}])
        self.task = asyncio.create_task(application(self._scope(token), self._receive, self._send))

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    async def _receive(self) -> dict:
        for message in self._asks:
            return message
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.body":
            self.has_begun.set()
            await self.goes_on.wait()

    @staticmethod
    def _scope(token: str) -> dict:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"format=csv",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"cookie", f"session={token}".encode())],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }


async def sessions_of_the_database(database) -> int:
    rows = await database.fetch(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
    )
    return rows[0][0]


async def test_download_is_whole(database, alice, browser):
    await database.run(fill_up, alice)

    answer = await browser.get(PATH, params={"format": "csv"})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "Content-Length" not in answer.headers
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [f"t{number:04}" for number in range(ROWS - 1, -1, -1)]


async def test_downloads_taken_at_leisure_hold_neither_a_turn_nor_a_connection(
    database, alice, token, monkeypatch
):
    # As each of them has a connection at first, which the server's other tests need too.
    monkeypatch.setattr(edge, "AT_ONCE", AT_ONCE)
    await database.run(fill_up, alice)
    application = StreamingHandler()
    before = await sessions_of_the_database(database)

    async with asyncio.timeout(START_SECONDS):
        slow = [Download(application, token) for _ in range(AT_ONCE + 2)]
        for each in slow:
            await each.has_begun.wait()

        async def is_nothing_held() -> bool:
            return await sessions_of_the_database(database) == before

        await until(is_nothing_held)
        last = Download(application, token)
        last.goes_on.set()
        await last.task
        for each in slow:
            each.goes_on.set()
        await asyncio.gather(*(each.task for each in slow))

    assert {each.body.count(b"\n") for each in [last, *slow]} == {ROWS + 1}


async def test_client_that_leaves_ends_its_download(database, alice, token):
    await database.run(fill_up, alice)
    application = StreamingHandler()
    before = await sessions_of_the_database(database)
    download = Download(application, token)
    async with asyncio.timeout(START_SECONDS):
        await download.has_begun.wait()

    download.leaves.set()
    async with asyncio.timeout(START_SECONDS):
        await download.task

    assert download.body.count(b"\n") < ROWS

    async def is_nothing_held() -> bool:
        return await sessions_of_the_database(database) == before

    await until(is_nothing_held)
