"""
One WebSocket session with the exchange, without the socket.

The session is told which markets each channel is wanted for. It compares that with what the
exchange has confirmed and brings the one to the other, one command per channel at a time: the
exchange answers commands out of order, and an answer must be attributable to one channel.

Always holds:
1. A channel has at most one unanswered command.
2. What the exchange refused, or ended by itself, is asked for again only when the caller does.
3. A channel of single markets is never subscribed without any: that would mean all of them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from kalshi.errors import DecodeError
from kalshi.messages import CommandFailed, Message, Ok, Subscribed, Unsubscribed, decode

# These errors end a subscription while the connection lives on: the exchange does not know it any
# more, its channel failed, we read too slowly.
_ENDING_CODES = {7, 10, 25}
# Without a list of markets the exchange would send those of all its markets.
_CHANNELS_OF_MARKETS = {"ticker"}


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """
    The exchange ended a subscription by itself; what it would have sent since is lost.

    Subscribe again, then read the state anew. `code` is the exchange's: 10 for a failed channel, 25
    for a reader that was too slow, 7 if the exchange had dropped it unnoticed.
    """

    channel: str
    market_tickers: tuple[str, ...]
    code: int


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A frame that is not what the exchange documents; `reason` is without its content."""

    reason: str


Event = Message | SubscriptionEnded | Undecodable


@dataclass(slots=True)
class _Command:
    id: int
    # The subscription's markets once the command has succeeded.
    markets: set[str]


@dataclass(slots=True)
class _Channel:
    name: str
    wanted: set[str]
    send_initial_snapshot: bool = False
    sid: int | None = None
    confirmed: set[str] = field(default_factory=set)
    unanswered: _Command | None = None

    @property
    def is_wanted(self) -> bool:
        return bool(self.wanted) or self.name not in _CHANNELS_OF_MARKETS

    @property
    def is_ready(self) -> bool:
        is_as_wanted = (self.sid is not None) == self.is_wanted and self.confirmed == self.wanted
        return is_as_wanted and self.unanswered is None


class Session:
    """The state of one connection. Commands come out of `to_send`, frames go into `receive`."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._outbox: list[str] = []
        self._last_id = 0

    @property
    def is_ready(self) -> bool:
        """Whether the exchange has confirmed all that was asked for."""
        return all(channel.is_ready for channel in self._channels.values())

    def subscribe(
        self,
        channels: Iterable[str],
        market_tickers: Iterable[str] = (),
        send_initial_snapshot: bool = False,
    ) -> None:
        """
        Want these channels, for these markets instead of any wanted before.

        Without markets, a private channel tells of all the account's, and `ticker` of none until
        some are added.

        Args:
            send_initial_snapshot: ask for each market's present state, also of those added later;
                the exchange does so for `ticker` only.
        """
        markets = set(market_tickers)
        for name in channels:
            channel = self._channels.setdefault(name, _Channel(name, set()))
            channel.wanted = set(markets)
            channel.send_initial_snapshot = send_initial_snapshot
            self._advance(channel)

    def add_markets(self, channel: str, market_tickers: Iterable[str]) -> None:
        """Want these markets too, on a channel that was subscribed."""
        self._want(channel, self._channels[channel].wanted.union(market_tickers))

    def delete_markets(self, channel: str, market_tickers: Iterable[str]) -> None:
        """Want these markets no longer."""
        self._want(channel, self._channels[channel].wanted.difference(market_tickers))

    def to_send(self) -> list[str]:
        """The frames to send now, in order, each returned once. Look again after `receive`."""
        frames, self._outbox = self._outbox, []
        return frames

    def receive(self, text: str | bytes) -> list[Event]:
        """What one frame says. Never raises: an unreadable frame is an event as well."""
        try:
            message = decode(text)
        except DecodeError as error:
            return [Undecodable(str(error))]
        match message:
            case Subscribed():
                self._confirmed(self._channels.get(message.channel), message.sid)
            case Ok():
                # Also the answer to subscribing to what the exchange finds subscribed already.
                self._confirmed(self._channel_awaiting(message.id), message.sid)
            case Unsubscribed():
                self._unsubscribed(message)
            case CommandFailed():
                return [self._failed(message)]
        return [message]

    def _want(self, name: str, markets: set[str]) -> None:
        channel = self._channels[name]
        channel.wanted = markets
        self._advance(channel)

    def _advance(self, channel: _Channel) -> None:
        """Send the next command that brings the channel nearer to what is wanted, if any."""
        if channel.unanswered is not None or channel.is_ready:
            return
        if channel.sid is None:
            self._send_subscribe(channel)
        elif not channel.is_wanted:
            self._send(channel, "unsubscribe", {"sids": [channel.sid]}, set())
        elif channel.wanted - channel.confirmed:
            self._send_update(channel, "add_markets", channel.wanted - channel.confirmed)
        else:
            self._send_update(channel, "delete_markets", channel.confirmed - channel.wanted)

    def _send_subscribe(self, channel: _Channel) -> None:
        params: dict[str, object] = {"channels": [channel.name]}
        if channel.wanted:
            params["market_tickers"] = sorted(channel.wanted)
        if channel.send_initial_snapshot:
            params["send_initial_snapshot"] = True
        self._send(channel, "subscribe", params, channel.wanted)

    def _send_update(self, channel: _Channel, action: str, markets: set[str]) -> None:
        params: dict[str, object] = {
            "sids": [channel.sid],
            "market_tickers": sorted(markets),
            "action": action,
        }
        if action == "add_markets" and channel.send_initial_snapshot:
            params["send_initial_snapshot"] = True
        # Either all of them are new to the subscription, or all of them are in it.
        self._send(channel, "update_subscription", params, channel.confirmed ^ markets)

    def _send(
        self, channel: _Channel, command: str, params: dict[str, object], markets: set[str]
    ) -> None:
        self._last_id += 1
        channel.unanswered = _Command(self._last_id, set(markets))
        self._outbox.append(json.dumps({"id": self._last_id, "cmd": command, "params": params}))

    def _confirmed(self, channel: _Channel | None, sid: int | None) -> None:
        if channel is not None and channel.unanswered is not None:
            channel.sid = channel.sid if sid is None else sid
            channel.confirmed = channel.unanswered.markets
            channel.unanswered = None
            # Without a sid nothing can follow but the same command, over and over.
            if channel.sid is not None:
                self._advance(channel)

    def _unsubscribed(self, message: Unsubscribed) -> None:
        channel = self._channel_of(message.sid)
        if channel is not None:
            self._forget(channel)
            self._advance(channel)

    def _failed(self, message: CommandFailed) -> Event:
        channel = self._channel_awaiting(message.id) or self._channel_of(message.sid)
        if channel is None:
            return message
        if message.code in _ENDING_CODES:
            self._forget(channel)
            return SubscriptionEnded(channel.name, tuple(sorted(channel.wanted)), message.code)
        # An error about a subscription may come without the id of the command at fault.
        if channel.unanswered is not None and message.id in (channel.unanswered.id, None):
            channel.unanswered = None
        return message

    def _forget(self, channel: _Channel) -> None:
        channel.sid = None
        channel.confirmed = set()
        channel.unanswered = None

    def _channel_of(self, sid: int | None) -> _Channel | None:
        if sid is None:
            return None
        return next((c for c in self._channels.values() if c.sid == sid), None)

    def _channel_awaiting(self, command_id: int | None) -> _Channel | None:
        for channel in self._channels.values():
            if channel.unanswered is not None and channel.unanswered.id == command_id:
                return channel
        return None
