"""
One WebSocket session, without any I/O: commands in, frames out.

Replies go out at once and ahead of data. Data waits a moment after a channel was opened: the
exchange never answers so fast that data stands between the replies to two commands, and a published
client loses it there. Frames are numbered as they are taken to be sent, for the other side sees a
gap in any other order. What waits is bounded: a subscription whose frames do not fit ends with
error 25, the others stay.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sandbox import wire
from sandbox.account import ApiKey
from sandbox.frames import COMBO_LIFECYCLE, LIFECYCLE, Message
from sandbox.wire import Json

CHANNELS = ("ticker", "fill", "market_positions", LIFECYCLE, COMBO_LIFECYCLE)
_SEQUENCED = (LIFECYCLE, COMBO_LIFECYCLE)
_UNFILTERED = (LIFECYCLE, COMBO_LIFECYCLE)

_ID_FIELDS = ("market_id", "market_ids")
_MARKET_FIELDS = ("market_ticker", "market_tickers", *_ID_FIELDS)

_DATA_AFTER_OPENING_SECONDS = 0.05
_BUFFERED_FRAMES = 10_000

_ERRORS = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    10: "Channel error",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market Ticker required",
    15: "Action required",
    25: "Subscription buffer overflow",
    26: "Subscription market limit exceeded",
    27: "Too many requests",
}
# Those that do not end a subscription.
REFUSALS = _ERRORS.keys() - {7, 10, 25}


@dataclass(slots=True)
class _Subscription:
    """`tickers` is None when every market is meant; `seq` is the last number used."""

    sid: int
    channel: str
    tickers: set[str] | None
    names_tickers: bool
    seq: int = 0

    @property
    def is_sequenced(self) -> bool:
        return self.channel in _SEQUENCED

    def wants(self, message: Message) -> bool:
        return self.tickers is None or message.market_ticker in self.tickers

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq


class _Refused(Exception):
    """
    A command that is answered with an error of this number.

    Args:
        subscription: the one that the command is about, where it names one that there is.
    """

    def __init__(self, code: int, subscription: _Subscription | None = None) -> None:
        super().__init__(_ERRORS[code])
        self.code = code
        self.subscription = subscription


class Session:
    """
    What one connection has subscribed to, and the frames it has yet to send.

    Args:
        key: signed the handshake; private channels carry what it may see.
        ticker: the ticker message of a market as it stands, None when there is no such market.
        tickers_by_id: the markets by their UUID, by which the ticker channel knows them too.
        buffered_frames: how many data frames may wait.

    Time is given in two ways: `now` in seconds of a clock that only grows, `sent_at_ms` in Unix
    milliseconds.
    """

    def __init__(
        self,
        key: ApiKey,
        ticker: Callable[[str], Message | None],
        *,
        tickers_by_id: Mapping[str, str] = MappingProxyType({}),
        buffered_frames: int = _BUFFERED_FRAMES,
    ) -> None:
        self.key = key
        self._ticker = ticker
        self._tickers_by_id = tickers_by_id
        self._buffered_frames = buffered_frames
        self._subscriptions: dict[str, _Subscription] = {}
        self._last_sid = 0
        # What waits goes without its number, which it gets on its way out.
        self._replies: deque[tuple[_Subscription | None, Json]] = deque()
        self._data: deque[tuple[_Subscription, str, str]] = deque()
        self._data_from = 0.0

    # In

    def receive(self, text: str, now: float, sent_at_ms: int) -> None:
        """Carry out one command and queue its replies."""
        command = _object(text)
        command_id = _command_id(command)
        try:
            match command.get("cmd"):
                case "subscribe":
                    self._subscribe(command_id, _params(command), now, sent_at_ms)
                case "update_subscription":
                    self._update(command_id, _params(command), sent_at_ms)
                case "unsubscribe":
                    self._unsubscribe(command_id, _params(command), sent_at_ms)
                case "list_subscriptions":
                    self._list(command_id, sent_at_ms)
                case _:
                    raise _Refused(5 if command else 1)
        except _Refused as refused:
            self._reply_error(refused.code, refused.subscription, command_id, sent_at_ms)

    def refuse(self, text: str, code: int, sent_at_ms: int) -> None:
        """Answer a command with an error, one of `REFUSALS`, and do nothing."""
        channels = self.channels_of(text)
        about = (each for name, each in self._subscriptions.items() if name in channels)
        self._reply_error(code, next(about, None), _command_id(_object(text)), sent_at_ms)

    def channels_of(self, text: str) -> set[str]:
        """The channels that a command is about, by name or by the number of its subscription."""
        command = _object(text)
        params = command.get("params")
        if not isinstance(params, dict):
            return set()
        named = [
            params[name] for name in ("channels", "sids") if isinstance(params.get(name), list)
        ]
        meant = [params.get("sid"), *(each for names in named for each in names)]
        return {
            subscription.channel
            for subscription in self._subscriptions.values()
            if subscription.sid in meant
        } | {channel for channel in CHANNELS if channel in meant}

    def publish(self, message: Message, sent_at_ms: int) -> bool:
        """
        Queue a message if this session asked for it and may see it; say whether there is news to
        send.
        """
        subscription = self._subscriptions.get(message.channel)
        if subscription is None or not subscription.wants(message) or not self._may_see(message):
            return False
        self._queue(subscription, message, sent_at_ms)
        return True

    def fail(self, channel: str, code: int, sent_at_ms: int) -> bool:
        """
        End a subscription with an error, 10 or 25; say whether there was one.

        Those are terminal: nothing more comes until the channel is subscribed again.
        """
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            return False
        self._end(subscription)
        self._reply_error(code, subscription, 0, sent_at_ms)
        return True

    # Out

    def next_reply(self) -> str | None:
        """The next answer to a command."""
        if not self._replies:
            return None
        subscription, reply = self._replies.popleft()
        if subscription is not None:
            reply["seq"] = subscription.next_seq()
        return wire.encode(reply)

    def next_data(self, now: float) -> str | None:
        """The next frame of a channel, once no answer may come before it."""
        if not self._data or now < self._data_from:
            return None
        subscription, head, rest = self._data.popleft()
        seq = f'"seq":{subscription.next_seq()},' if subscription.is_sequenced else ""
        return f"{head}{seq}{rest}"

    def seconds_to_data(self, now: float) -> float | None:
        """How long the data that waits has to wait yet; None when none waits."""
        return max(0.0, self._data_from - now) if self._data else None

    @property
    def is_flooded(self) -> bool:
        """The other side sends commands and does not read the replies."""
        return len(self._replies) > self._buffered_frames

    # Commands

    def _subscribe(self, command_id: int, params: Json, now: float, sent_at_ms: int) -> None:
        channels = params.get("channels")
        if not isinstance(channels, list) or not channels:
            raise _Refused(3)
        if not all(channel in CHANNELS for channel in channels):
            raise _Refused(8)
        tickers = self._tickers(params, channels)
        # A channel named twice in one command is subscribed once.
        for channel in dict.fromkeys(channels):
            subscription = self._subscriptions.get(channel)
            if subscription is None:
                subscription = self._open(channel, tickers, params)
                self._data_from = now + _DATA_AFTER_OPENING_SECONDS
                opened = {"channel": channel, "sid": subscription.sid}
                self._reply({"type": "subscribed", "msg": opened}, command_id, sent_at_ms)
            else:
                _merge(subscription, tickers)
                self._confirm(subscription, params, command_id, sent_at_ms)
            self._snapshot(subscription, tickers, params, sent_at_ms)

    def _open(self, channel: str, tickers: list[str] | None, params: Json) -> _Subscription:
        self._last_sid += 1
        is_filtered = tickers is not None and channel not in _UNFILTERED
        subscription = _Subscription(
            sid=self._last_sid,
            channel=channel,
            tickers=set(tickers or ()) if is_filtered else None,
            names_tickers=params.get("skip_ticker_ack") is not True,
        )
        self._subscriptions[channel] = subscription
        return subscription

    def _update(self, command_id: int, params: Json, sent_at_ms: int) -> None:
        sids = params.get("sids", [params["sid"]] if "sid" in params else [])
        if not isinstance(sids, list) or len(sids) != 1 or {"sid", "sids"} <= params.keys():
            raise _Refused(12)
        subscription = self._subscription(sids[0])
        try:
            self._change(subscription, command_id, params, sent_at_ms)
        except _Refused as refused:
            raise _Refused(refused.code, subscription) from refused

    def _change(
        self, subscription: _Subscription, command_id: int, params: Json, sent_at_ms: int
    ) -> None:
        action = params.get("action")
        if not action:
            raise _Refused(15)
        if action not in ("add_markets", "delete_markets") or subscription.channel in _UNFILTERED:
            raise _Refused(13)
        tickers = self._tickers(params, [subscription.channel])
        if not tickers:
            raise _Refused(14)
        if action == "add_markets":
            _merge(subscription, tickers)
        elif subscription.tickers is None:
            # All markets but some can't be expressed.
            raise _Refused(11)
        else:
            subscription.tickers.difference_update(tickers)
        self._confirm(subscription, params, command_id, sent_at_ms)
        if action == "add_markets":
            self._snapshot(subscription, tickers, params, sent_at_ms)

    def _unsubscribe(self, command_id: int, params: Json, sent_at_ms: int) -> None:
        sids = params.get("sids")
        if not isinstance(sids, list) or not sids:
            raise _Refused(4)
        named = {each.sid: each for each in map(self._subscription, sids)}
        for subscription in named.values():
            self._end(subscription)
            # The one frame that has a number on every channel.
            ended: Json = {"sid": subscription.sid, "seq": 0, "type": "unsubscribed"}
            self._reply(ended, command_id, sent_at_ms, numbered_by=subscription)

    def _list(self, command_id: int, sent_at_ms: int) -> None:
        listed = [
            {"channel": subscription.channel, "sid": subscription.sid}
            for subscription in self._subscriptions.values()
        ]
        self._reply({"type": "ok", "msg": listed}, command_id, sent_at_ms)

    # Parts of commands

    def _subscription(self, sid: object) -> _Subscription:
        for subscription in self._subscriptions.values():
            if subscription.sid == sid:
                return subscription
        raise _Refused(7)

    def _tickers(self, params: Json, channels: list[str]) -> list[str] | None:
        """The markets that a command names by ticker or by UUID, None when it names none."""
        named = [name for name in _MARKET_FIELDS if name in params]
        if not named:
            return None
        if len(named) > 1:
            raise _Refused(11)
        (field,) = named
        values = params[field] if field.endswith("s") else [params[field]]
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise _Refused(11)
        if not values:
            # It would be subscribed to nothing, without a word.
            raise _Refused(11)
        if not all(each.isascii() and each.isprintable() for each in values):
            # No market is named so; half a surrogate pair could not be said again.
            raise _Refused(11)
        if field not in _ID_FIELDS:
            return values
        if channels != ["ticker"] or not all(each in self._tickers_by_id for each in values):
            raise _Refused(11)
        return [self._tickers_by_id[each] for each in values]

    def _confirm(
        self, subscription: _Subscription, params: Json, command_id: int, sent_at_ms: int
    ) -> None:
        is_named = subscription.tickers is not None and subscription.names_tickers
        tickers = subscription.tickers or set()
        names: Json = {"market_tickers": sorted(tickers)}
        if any(field in params for field in _ID_FIELDS):
            ids = (each for each, ticker in self._tickers_by_id.items() if ticker in tickers)
            names = {"market_ids": sorted(ids)}
        ok = {"type": "ok", "msg": names if is_named else {}}
        self._reply_of(subscription, ok, command_id, sent_at_ms)

    def _snapshot(
        self, subscription: _Subscription, tickers: list[str] | None, params: Json, sent_at_ms: int
    ) -> None:
        if subscription.channel != "ticker" or params.get("send_initial_snapshot") is not True:
            return
        for market_ticker in tickers or ():
            message = self._ticker(market_ticker)
            if message is not None and "ticker" in self._subscriptions:
                self._queue(subscription, message, sent_at_ms)

    def _may_see(self, message: Message) -> bool:
        if message.user_id is None:
            return True
        is_own = message.user_id == self.key.user_id
        return is_own and self.key.subaccount in (None, message.subaccount)

    # Frames

    def _reply_error(
        self, code: int, subscription: _Subscription | None, command_id: int, sent_at_ms: int
    ) -> None:
        error: Json = {"type": "error", "msg": {"code": code, "msg": _ERRORS[code]}}
        if subscription is None:
            self._reply(error, command_id, sent_at_ms)
        else:
            self._reply_of(subscription, error, command_id, sent_at_ms)

    def _reply_of(
        self, subscription: _Subscription, reply: Json, command_id: int, sent_at_ms: int
    ) -> None:
        """Queue what is told of one subscription."""
        if subscription.is_sequenced:
            numbered = {"sid": subscription.sid, "seq": 0, **reply}
            self._reply(numbered, command_id, sent_at_ms, numbered_by=subscription)
        else:
            self._reply({"sid": subscription.sid, **reply}, command_id, sent_at_ms)

    def _reply(
        self,
        reply: Json,
        command_id: int,
        sent_at_ms: int,
        *,
        numbered_by: _Subscription | None = None,
    ) -> None:
        identified = {"id": command_id, **reply} if command_id else reply
        self._replies.append((numbered_by, {**identified, "sending_ts_ms": sent_at_ms}))

    def _queue(self, subscription: _Subscription, message: Message, sent_at_ms: int) -> None:
        if len(self._data) >= self._buffered_frames:
            self.fail(subscription.channel, 25, sent_at_ms)
            return
        # Only the envelope differs between subscribers: the body was encoded once for all of them.
        head = f'{{"type":"{message.type}","sid":{subscription.sid},'
        rest = f'"sending_ts_ms":{sent_at_ms},"msg":{message.body}}}'
        self._data.append((subscription, head, rest))

    def _end(self, subscription: _Subscription) -> None:
        del self._subscriptions[subscription.channel]
        self._data = deque(frame for frame in self._data if frame[0] is not subscription)


def _object(text: str) -> Json:
    try:
        command = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return command if isinstance(command, dict) else {}


def _command_id(command: Json) -> int:
    # 0 is the same as no id.
    command_id = command.get("id", 0)
    is_number = isinstance(command_id, int) and not isinstance(command_id, bool)
    return command_id if is_number and command_id > 0 else 0


def _params(command: Json) -> Json:
    params = command.get("params")
    if not isinstance(params, dict):
        raise _Refused(2)
    return params


def _merge(subscription: _Subscription, tickers: list[str] | None) -> None:
    if tickers is None:
        subscription.tickers = None
    elif subscription.tickers is not None:
        subscription.tickers.update(tickers)
