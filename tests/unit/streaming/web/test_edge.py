"""The edge hands over whole requests of bounded size, and not too many at once."""

import asyncio
import json
from collections.abc import Callable
from time import monotonic

import pytest

from postgres import connections
from streaming.web import edge
from streaming.web.edge import BODY_BYTES, SIGN_IN_BYTES, Edge
from tests.waiting import until

DISCONNECT = {"type": "http.disconnect"}


class Application:
    """Notes what it is given and answers 200; waits until it is let go, where that is wanted."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.scopes: list[dict] = []
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.status = 200

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "http":
            self.bodies.append((await receive())["body"])
            await self.let_go.wait()
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})


class Client:
    """One request to the edge: what it sends, and what it is answered."""

    def __init__(self, messages: list[dict]) -> None:
        self._messages = list(messages)
        self.sent: list[dict] = []
        self.has_begun_to_send = False

    async def receive(self) -> dict:
        self.has_begun_to_send = True
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def error(self) -> dict:
        return json.loads(self.sent[1]["body"])["error"]


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def ask(application) -> Callable:
    at_the_edge = Edge(application, is_light=lambda path: path == "/sse/positions")

    async def ask(
        *messages: dict, path: str = "/api/x", headers: dict | list[tuple[str, str]] = ()
    ) -> Client:
        client = Client(list(messages))
        pairs = headers.items() if isinstance(headers, dict) else headers
        named = [(name.encode(), value.encode()) for name, value in pairs]
        scope = {"type": "http", "method": "POST", "path": path, "headers": named}
        await at_the_edge(scope, client.receive, client.send)
        return client

    return ask


def part(body: bytes, *, more: bool = False) -> dict:
    return {"type": "http.request", "body": body, "more_body": more}


class TestBody:
    async def test_body_in_parts_is_handed_over_whole(self, ask, application):
        client = await ask(part(b"one, ", more=True), part(b"two", more=True), part(b""))

        assert client.status == 200
        assert application.bodies == [b"one, two"]

    @pytest.mark.parametrize(
        ("path", "longest"),
        [
            ("/api/x", BODY_BYTES),
            ("/", BODY_BYTES),
            ("/sse/positions", BODY_BYTES),
            ("/api/v1/account/authenticate", SIGN_IN_BYTES),
            ("/api/v1/account/login", SIGN_IN_BYTES),
            ("/admin/login/", SIGN_IN_BYTES),
        ],
    )
    async def test_longest_body_passes_and_one_byte_more_does_not(
        self, ask, application, path, longest
    ):
        whole = await ask(part(b"x" * longest), path=path)
        too_long = await ask(part(b"x" * longest, more=True), part(b"x"), path=path)

        assert whole.status == 200
        assert too_long.status == 413
        assert [len(body) for body in application.bodies] == [longest]

    @pytest.mark.parametrize("declared", [str(BODY_BYTES + 1), "9" * 5000])
    async def test_body_declared_too_long_is_not_read_at_all(self, ask, application, declared):
        client = await ask(headers={"content-length": declared})

        assert client.status == 413
        assert client.error["code"] == "request_too_large"
        assert client.headers[b"connection"] == b"close"
        assert not client.has_begun_to_send
        assert application.scopes == []

    @pytest.mark.parametrize("declared", ["-1", "nonsense", "1,1", "", "١"])
    async def test_length_that_is_no_number_is_refused(self, ask, application, declared):
        client = await ask(headers={"content-length": declared})

        assert client.status == 400
        assert client.error["code"] == "malformed_request"
        assert application.scopes == []

    async def test_body_that_takes_too_long_is_refused(self, ask, application, monkeypatch):
        monkeypatch.setattr(edge, "BODY_SECONDS", 0.02)

        client = await ask(part(b"x", more=True))

        assert client.status == 408
        assert client.error["code"] == "request_too_slow"
        assert application.scopes == []

    async def test_client_that_leaves_before_its_body_is_whole_costs_nothing_more(
        self, ask, application
    ):
        client = await ask(part(b"x", more=True), DISCONNECT)

        assert client.sent == []
        assert application.scopes == []


class TestTurns:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(edge, "AT_ONCE", 2)
        monkeypatch.setattr(edge, "WAITING", 1)

    async def test_only_so_many_requests_are_worked_on_at_once(self, ask, application):
        application.let_go.clear()
        asked = [asyncio.create_task(ask(part(b""))) for _ in range(3)]
        await until(lambda: len(application.scopes) == 2)

        refused = await ask(part(b""))
        worked_on = len(application.scopes)
        application.let_go.set()
        answered = await asyncio.gather(*asked)

        assert refused.status == 503
        assert refused.error["code"] == "busy"
        assert refused.headers[b"retry-after"] == b"5"
        assert worked_on == 2
        assert [client.status for client in answered] == [200, 200, 200]

    @pytest.fixture
    def short_wait(self, monkeypatch):
        monkeypatch.setattr(edge, "TURN_SECONDS", 0.5)

    # In this order: the edge is built by the time that it finds.
    async def test_request_does_not_wait_for_its_turn_for_ever(self, short_wait, ask, application):
        application.let_go.clear()
        asked = [asyncio.create_task(ask(part(b""))) for _ in range(2)]
        await until(lambda: len(application.scopes) == 2)

        refused = await ask(part(b""))
        application.let_go.set()
        await asyncio.gather(*asked)

        assert refused.status == 503
        assert (await ask(part(b""))).status == 200

    async def test_where_the_database_was_silent_nobody_waits_to_find_the_same(
        self, ask, application, monkeypatch
    ):
        application.let_go.clear()
        asked = [asyncio.create_task(ask(part(b""))) for _ in range(3)]
        await until(lambda: len(application.scopes) == 2)

        monkeypatch.setattr(connections, "_silent_at", monotonic())
        application.status = 503
        application.let_go.set()
        *_, waited = await asyncio.gather(*asked)

        assert (waited.status, waited.error["code"]) == (503, "database_unavailable")
        assert len(application.scopes) == 2
        application.status = 200
        assert (await ask(part(b""))).status == 200

    @pytest.mark.parametrize(("status", "was_silent"), [(200, True), (503, False)])
    async def test_who_waits_is_worked_on_where_the_database_answers(
        self, ask, application, monkeypatch, status, was_silent
    ):
        application.let_go.clear()
        asked = [asyncio.create_task(ask(part(b""))) for _ in range(3)]
        await until(lambda: len(application.scopes) == 2)

        if was_silent:
            monkeypatch.setattr(connections, "_silent_at", monotonic())
        application.status = status
        application.let_go.set()
        answered = await asyncio.gather(*asked)

        assert [client.status for client in answered] == [status] * 3
        assert len(application.scopes) == 3

    async def test_client_that_takes_its_time_takes_no_turn(self, application):
        # As the socket of a client that reads nothing.
        stuck, at_the_edge = asyncio.Event(), Edge(application, is_light=lambda path: False)

        async def send(message: dict) -> None:
            sent.append(message)
            await stuck.wait()

        async def ask() -> None:
            client = Client([part(b"")])
            scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
            await at_the_edge(scope, client.receive, send)

        sent: list[dict] = []
        slow = []
        for number in range(1, 11):
            slow.append(asyncio.create_task(ask()))
            await until(lambda count=number: len(sent) == count)

        statuses = [message["status"] for message in sent]
        stuck.set()
        await asyncio.gather(*slow)

        assert statuses == [200] * 10

    async def test_streams_need_no_turn(self, ask, application):
        application.let_go.clear()
        asked = [asyncio.create_task(ask(part(b""), path="/sse/positions")) for _ in range(10)]
        await until(lambda: len(application.scopes) == 10)

        application.let_go.set()
        answered = await asyncio.gather(*asked)

        assert {client.status for client in answered} == {200}


class TestHeaders:
    @pytest.mark.parametrize(
        "cookies", [["a=" + "\\" * 201], ["a=" + "\\" * 120, "b=" + "\\" * 120]]
    )
    async def test_cookies_that_take_long_to_read_are_refused(self, ask, application, cookies):
        client = await ask(part(b""), headers=[("cookie", cookie) for cookie in cookies])

        assert client.status == 431
        assert client.error["code"] == "unreadable_cookies"
        assert application.scopes == []

    async def test_cookies_of_others_may_be_quoted(self, ask):
        client = await ask(part(b""), headers={"cookie": 'theirs="' + r"\054" * 200 + '"'})

        assert client.status == 200

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data; boundary=x; charset=idna",
            "multipart/form-data; boundary=x; charset=hex_codec",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/json; charset*=nonsense'en'x",
            "text/plain; charset=",
        ],
    )
    async def test_body_in_another_charset_is_refused(self, ask, application, content_type):
        client = await ask(part(b""), headers={"content-type": content_type})

        assert client.status == 400
        assert client.error["code"] == "malformed_request"
        assert application.scopes == []

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/json; charset=UTF-8", 'text/plain; charset="utf8"', "x"],
    )
    async def test_body_in_utf_8_is_taken(self, ask, content_type):
        client = await ask(part(b""), headers={"content-type": content_type})

        assert client.status == 200


async def test_upgrade_to_a_websocket_is_refused(ask, application):
    client = await ask(part(b""), headers={"upgrade": "WebSocket", "connection": "upgrade"})

    assert client.status == 400
    assert client.error["code"] == "no_websocket"
    assert application.scopes == []


async def test_websocket_of_another_server_is_closed_before_it_opens(application):
    client = Client([{"type": "websocket.connect"}])

    await Edge(application, is_light=lambda path: False)(
        {"type": "websocket", "path": "/", "headers": []}, client.receive, client.send
    )

    assert client.sent == [{"type": "websocket.close"}]
    assert application.scopes == []
