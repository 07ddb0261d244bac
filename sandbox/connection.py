"""
One WebSocket: a task that sends what its session has queued, and a loop that feeds it.
"""

import asyncio
import socket as sockets
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from aiohttp import WSMsgType, web

from sandbox import wire
from sandbox.faults import Distortion, Faults, Half
from sandbox.frames import Message
from sandbox.session import Session
from sandbox.spoiling import spoil_frame

# With this, closing a socket resets the connection instead of ending it.
_RESET = struct.pack("ii", 1, 0)


class Connection:
    """
    Moves text between a socket and its session, as well as the faults let it.

    Args:
        flow: while it is not set nothing is sent.
        clock: dates what is sent.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        session: Session,
        faults: Faults,
        flow: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        self.session = session
        self._socket = socket
        self._transport = transport
        self._faults = faults
        self._flow = flow
        self._clock = clock
        self._distortion = Distortion(faults)
        self._news = asyncio.Event()
        # Frames on their way, each with the moment of its arrival.
        self._travelling: deque[tuple[float, str | Half]] = deque()

    def publish(self, message: Message, sent_at_ms: int) -> None:
        if self.session.publish(message, sent_at_ms):
            self._news.set()

    def fail(self, channel: str, code: int) -> bool:
        """End the subscription of a channel with an error; say whether there was one."""
        was_subscribed = self.session.fail(channel, code, wire.milliseconds(self._clock()))
        if was_subscribed:
            self._news.set()
        return was_subscribed

    def cut(self, *, reset: bool = False) -> None:
        """End the connection without a close frame; as a reset, or as if the other side went."""
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if reset and raw is not None:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
        self._transport.abort()

    def stop_reading(self) -> None:
        """Leave what comes in unread, pings too, as a frozen process would."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    async def say_goodbye(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await self._socket.close(code=1001)

    async def run(self, ping_seconds: float) -> None:
        """Serve until either side ends it."""
        sender = asyncio.create_task(self._send(ping_seconds))
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT and self._hears(message.data):
                    self._carry_out(message.data)
                    self._news.set()
                if self.session.is_flooded:
                    self.cut()
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    def _carry_out(self, command: str) -> None:
        sent_at_ms = wire.milliseconds(self._clock())
        refusals = self._faults.refusals
        code = refusals and self._faults.refusal_of(self.session.channels_of(command))
        if code:
            self.session.refuse(command, code, sent_at_ms)
        else:
            self.session.receive(command, asyncio.get_running_loop().time(), sent_at_ms)

    def _hears(self, command: str) -> bool:
        muted = self._faults.muted
        return not muted or not ("" in muted or muted & self.session.channels_of(command))

    async def _send(self, ping_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + ping_seconds
        # The other side is gone: the reading loop hears of it too and ends.
        with suppress(ConnectionError):
            while True:
                self._news.clear()
                await self._flow.wait()
                while self._flow.is_set() and (frame := self._next_frame(loop.time())):
                    await self._send_frame(frame)
                    if loop.time() >= ping_at:
                        break
                if loop.time() >= ping_at:
                    await self._socket.ping(b"heartbeat")
                    ping_at = loop.time() + ping_seconds
                    continue
                pause = min(self._seconds_to_frame(loop.time()), ping_at - loop.time())
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._news.wait()

    def _next_frame(self, now: float) -> str | Half | None:
        arrival = now + self._faults.latency_seconds
        reply = self.session.next_reply()
        if reply is not None:
            self._travelling.append((arrival, reply))
        elif not self._travelling or self._faults.latency_seconds:
            data = self.session.next_data(now)
            if data is not None:
                data = spoil_frame(self._faults.spoils, data)
                self._travelling.extend((arrival, each) for each in self._distortion.of(data))
        if self._travelling and self._travelling[0][0] <= now:
            return self._travelling.popleft()[1]
        return None

    def _seconds_to_frame(self, now: float) -> float:
        waiting = self.session.seconds_to_data(now)
        if self._travelling:
            arriving = max(0.0, self._travelling[0][0] - now)
            waiting = arriving if waiting is None else min(waiting, arriving)
        return float("inf") if waiting is None else waiting

    async def _send_frame(self, frame: str | Half) -> None:
        if isinstance(frame, str):
            await self._socket.send_str(frame)
            return
        payload = frame.text.encode()
        if self._transport is not None:
            # A final text frame that announces more bytes than will come.
            self._transport.write(b"\x81\x7f" + struct.pack("!Q", len(payload)))
            self._transport.write(payload[: len(payload) // 2])
            self._transport.close()
