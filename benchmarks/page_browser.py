"""
Chromium, spoken to by its own protocol.

Not by Playwright: it listens to the network of every page, and then the page tells of each event of
the stream, on the very thread that is measured.
"""

import asyncio
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

START_SECONDS = 60
ANSWER_SECONDS = 60
WIDTH, HEIGHT = 1440, 900

# As in the browser tests, and nothing that saves power where nobody looks.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
]

# Told where the network is listened to.
_EVENT = "Network.eventSourceMessageReceived"

# What the protocol sends; its shapes are many, and each is taken apart where it is asked for.
Answer = dict[str, Any]


class ProtocolError(Exception):
    """The browser refuses a command, or a script in the page has failed."""


@dataclass(slots=True)
class Session:
    """One target of the browser: a page, a worker, or the browser itself."""

    browser: "Browser"
    id: str | None = None
    context: str = ""

    async def call(self, method: str, **parameters: object) -> Answer:
        """
        One command and its result.

        Raises:
            ProtocolError: it was refused.
        """
        return await self.browser.call(self.id, method, parameters)

    async def evaluate(self, expression: str) -> Any:  # Any: whatever the script gives
        """The value of a script, once it is there if it is a promise."""
        result = await self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if failure := result.get("exceptionDetails"):
            raise ProtocolError(failure.get("exception", failure).get("description", str(failure)))
        return result["result"].get("value")

    def count(self, name: str) -> Callable[[], int]:
        """Count a stream's events of this name from now on; gives how many there were so far."""
        key = (self.id, name)
        self.browser.counts[key] = 0
        return lambda: self.browser.counts[key]


@dataclass(slots=True)
class Browser:
    """The connection to one Chromium."""

    socket: ClientConnection
    counts: dict[tuple[str | None, str], int] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)
    _waiting: "dict[int, asyncio.Future[Answer]]" = field(default_factory=dict)

    @property
    def itself(self) -> Session:
        return Session(self)

    async def call(self, session: str | None, method: str, parameters: object) -> Answer:
        """One command and its result."""
        number = next(self._ids)
        command: Answer = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps(command))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                result: Answer = await answer
                return result
        finally:
            del self._waiting[number]

    async def listen(self) -> None:
        """Hand out what the browser says, until it is gone."""
        with suppress(ConnectionClosed):
            async for text in self.socket:
                self._hear(json.loads(text))
        for waiting in self._waiting.values():
            waiting.set_exception(ProtocolError("the browser is gone"))

    def _hear(self, message: Answer) -> None:
        if "id" not in message:
            if message["method"] != _EVENT:
                return
            key = (message["sessionId"], message["params"]["eventName"])
            if key in self.counts:
                self.counts[key] += 1
        elif waiting := self._waiting.get(message["id"]):
            if waiting.done():
                # Nobody waits for it any more.
                return
            if "error" in message:
                waiting.set_exception(ProtocolError(message["error"]["message"]))
            else:
                waiting.set_result(message["result"])

    @asynccontextmanager
    async def page(self, script: str) -> AsyncIterator[Session]:
        """
        An empty page in a browser context of its own: nothing is cached, and nothing was chosen.

        Args:
            script: runs in each document before all others.
        """
        context = (await self.itself.call("Target.createBrowserContext"))["browserContextId"]
        try:
            target = await self.itself.call(
                "Target.createTarget",
                url="about:blank",
                browserContextId=context,
                width=WIDTH,
                height=HEIGHT,
            )
            page = await self._attach(target["targetId"], context)
            await page.call("Page.enable")
            await page.call("Performance.enable")
            await page.call("Emulation.setFocusEmulationEnabled", enabled=True)
            await page.call(
                "Emulation.setDeviceMetricsOverride",
                width=WIDTH,
                height=HEIGHT,
                deviceScaleFactor=1,
                mobile=False,
            )
            await page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
            yield page
        finally:
            await self.itself.call("Target.disposeBrowserContext", browserContextId=context)

    async def workers(self, page: Session) -> list[Session]:
        """The shared workers beside a page."""
        targets = (await self.itself.call("Target.getTargets"))["targetInfos"]
        return [
            await self._attach(target["targetId"], page.context)
            for target in targets
            if target["type"] == "shared_worker" and target["browserContextId"] == page.context
        ]

    async def _attach(self, target: str, context: str) -> Session:
        answer = await self.itself.call("Target.attachToTarget", targetId=target, flatten=True)
        return Session(self, answer["sessionId"], context)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Chromium with an empty profile; it has ended afterwards."""
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("Chromium is needed; on Debian: apt-get install chromium")
    # Its last processes may write while the profile is deleted.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [path, *ARGUMENTS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = await _address(process, Path(profile) / "DevToolsActivePort")
            async with connect(address, max_size=None, ping_interval=None) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                yield browser
                with suppress(ProtocolError, TimeoutError):
                    await browser.itself.call("Browser.close")
                listening.cancel()
        finally:
            await asyncio.to_thread(_end, process)


async def _address(process: "subprocess.Popen[bytes]", told: Path) -> str:
    async with asyncio.timeout(START_SECONDS):
        while process.poll() is None:
            # Two lines, the port and a path; the file may be there before them.
            lines = told.read_text().splitlines() if told.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(0.05)
    raise ProtocolError(f"Chromium ended at once, with status {process.returncode}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
