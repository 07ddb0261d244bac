"""
One WebSocket session with the exchange, without the socket.

The session is told which markets each channel is wanted for. It compares that with what the
exchange has confirmed and brings the one to the other, one command per channel at a time: the
exchange answers commands out of order, and an answer must be attributable to one channel.

Always holds:
1. A channel has at most one unanswered command.
2. What the exchange refused, or ended by itself, is asked for again only when the caller does.
3. A channel of single markets is subscribed without naming any only where all are to come.
4. A frame of a numbered subscription that did not arrive is told of before those after it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kalshi.errors import DecodeError
from kalshi.messages import (
    LIFECYCLE_TYPES,
    CommandFailed,
    Frame,
    Message,
    Ok,
    Subscribed,
    Unknown,
    Unsubscribed,
)

# These errors end a subscription while the connection lives on: the exchange does not know it any
# more, its channel failed, we read too slowly.
_ENDING_CODES = frozenset({7, 10, 25})
_NOT_AUTHENTICATED = 9
# In an error that names neither command nor subscription: one of ours may have ended by it.
SESSION_IN_DOUBT = _ENDING_CODES | {_NOT_AUTHENTICATED}
# One subscription can't hold so many markets; how many it can is documented nowhere.
TOO_MANY_MARKETS = 26
# The markets that were named may be why: one of them can't be, or they are too many.
NAMES_REFUSED = frozenset({11, TOO_MANY_MARKETS})
# It was told too often what to hold; what it holds stays.
TOO_MANY_COMMANDS = 27
# The exchange sends these of all its markets, whatever it is asked; we pick out the wanted.
_CHANNELS_PICKED_HERE = LIFECYCLE_TYPES
# Without a list of markets the exchange would send those of all its markets.
_CHANNELS_OF_MARKETS = {"ticker"} | _CHANNELS_PICKED_HERE
# Names come from the exchange: whatever it sends, they stay this many.
_MAXIMUM_UNKNOWN_NAMES = 100


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
class SubscriptionRefused:
    """The exchange did not do what was asked of it for a channel; `code` is its own."""

    channel: str
    code: int


@dataclass(frozen=True, slots=True)
class Undecodable:
    """
    A frame that is not what the exchange documents; `reason` is without its content.

    Attributes:
        market_ticker: of a quote that can't be read, the market, if that can be.
    """

    reason: str
    market_ticker: str | None = None


@dataclass(frozen=True, slots=True)
class SequenceGap:
    """
    Frames of a channel were lost on the way: `received` came when `expected` should have.

    What they said can only be read elsewhere. Not every channel is numbered, so the absence of gaps
    proves nothing for `ticker`, `fill` and `market_positions`.
    """

    channel: str
    expected: int
    received: int


Event = Message | SubscriptionEnded | SubscriptionRefused | SequenceGap | Undecodable


@dataclass(slots=True)
class _Command:
    id: int
    # `subscribe`, `update_subscription`, `unsubscribe`.
    name: str
    # The subscription's markets once the command has succeeded.
    markets: set[str]
    # When it was handed out, by the caller's clock; None until then.
    sent_at: float | None = None


@dataclass(slots=True)
class _Channel:
    name: str
    wanted: set[str]
    send_initial_snapshot: bool = False
    sid: int | None = None
    confirmed: set[str] = field(default_factory=set)
    unanswered: _Command | None = None
    # The number of the subscription's next frame; None until one has come.
    next_seq: int | None = None
    # The exchange sends this channel's of all markets; we pick out the wanted.
    is_picked_here: bool = False

    @property
    def is_wanted(self) -> bool:
        return bool(self.wanted) or self.name not in _CHANNELS_OF_MARKETS

    @property
    def asked(self) -> set[str]:
        """The markets to name to the exchange."""
        return set() if self.is_picked_here else self.wanted

    @property
    def is_ready(self) -> bool:
        if self.unanswered is not None:
            return False
        if not self.is_wanted:
            return self.sid is None
        return self.sid is not None and self.confirmed == self.asked


class Session:
    """
    The state of one connection. Commands come out of `to_send`, frames go into `receive`.

    Attributes:
        unknown: how many messages of each type came that we do not use.
    """

    def __init__(self) -> None:
        self.unknown: Counter[str] = Counter()
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
        is_named: bool = True,
    ) -> None:
        """
        Want these channels, for these markets instead of any wanted before.

        Without markets, a private channel tells of all the account's, and one of single markets
        (`ticker`, `market_lifecycle_v2`, `multivariate_market_lifecycle`) of none.

        Args:
            send_initial_snapshot: ask for each market's present state, also of those added later;
                the exchange does so for `ticker` only, and only of markets that are named to it.
            is_named: name the markets to the exchange; else it sends those of all, of which the
                wanted are told. As a channel was first wanted, so it stays.
        """
        markets = set(market_tickers)
        for name in channels:
            if name not in self._channels:
                is_picked_here = name in _CHANNELS_PICKED_HERE or not is_named
                self._channels[name] = _Channel(name, set(), is_picked_here=is_picked_here)
            channel = self._channels[name]
            channel.wanted = set(markets)
            channel.send_initial_snapshot = send_initial_snapshot
            self._advance(channel)

    def wants(self, channel: str, market_ticker: str) -> bool:
        """Whether a channel is wanted for a market."""
        return channel in self._channels and market_ticker in self._channels[channel].wanted

    def stands(self, channel: str) -> bool:
        """Whether the exchange has confirmed a channel and not ended it since."""
        return channel in self._channels and self._channels[channel].sid is not None

    def abandon(self, channel: str) -> None:
        """Want a channel no more, and say nothing of it to the exchange."""
        abandoned = self._channels[channel]
        abandoned.wanted = set()
        self._forget(abandoned)

    def to_send(self, now: float) -> list[str]:
        """
        The frames to send now, in order, each returned once. Look again after `receive`.

        Args:
            now: seconds of any clock that only runs forward, for `waits_since`.
        """
        frames, self._outbox = self._outbox, []
        for command in self._unanswered():
            if command.sent_at is None:
                command.sent_at = now
        return frames

    @property
    def waits_since(self) -> float | None:
        """When the oldest command that has no answer yet was sent; None if all have theirs."""
        sent = [each.sent_at for each in self._unanswered() if each.sent_at is not None]
        return min(sent, default=None)

    def given_up(self, channel: str, sent_before: float) -> bool:
        """
        Want a channel no more whose command from before this instant has no answer; whether it was
        one.
        """
        command = self._channels[channel].unanswered if channel in self._channels else None
        if command is None or command.sent_at is None or command.sent_at >= sent_before:
            return False
        self.abandon(channel)
        return True

    def _unanswered(self) -> list[_Command]:
        return [each.unanswered for each in self._channels.values() if each.unanswered]

    def receive(self, text: str | bytes) -> list[Event]:
        """
        What one frame says. Never raises: an unreadable frame is an event as well.

        A channel whose subscription begins here is `Subscribed`, also where the exchange says `ok`
        as it finds that it has begun before.

        Of a channel that comes of all markets no event for one that nobody wants, which is most of
        them; nor for a numbered word that comes late or twice, and may be outdated: its gap was
        told.
        """
        try:
            frame = Frame(text)
        except DecodeError as error:
            return [Undecodable(str(error))]
        event = None if self._is_of_no_interest(frame) else self._event(frame)
        return [each for each in (self._gap(frame), event) if each is not None]

    def _is_of_no_interest(self, frame: Frame) -> bool:
        channel = self._channels.get(frame.type)  # those that matter are named like their channels
        if channel is None or not channel.is_picked_here or frame.market_ticker is None:
            return False
        is_late = frame.place is not None and frame.place[1] < (channel.next_seq or 0)
        return is_late or frame.market_ticker not in channel.wanted

    def _event(self, frame: Frame) -> Event | None:
        try:
            message = frame.message()
        except DecodeError as error:
            return Undecodable(str(error), frame.market_ticker if frame.type == "ticker" else None)
        match message:
            case Subscribed():
                channel = self._channels.get(message.channel)
                self._confirmed(channel, message.sid, next_seq=1)
            case Ok():
                # Also the answer to subscribing to what the exchange finds subscribed already.
                channel = self._channel_awaiting(message.id)
                is_new = channel is not None and channel.sid is None
                self._confirmed(channel, message.sid, next_seq=None)
                if is_new and channel and channel.sid is not None:
                    return Subscribed(channel.name, channel.sid)
            case Unsubscribed():
                self._unsubscribed(message)
            case CommandFailed():
                return self._failed(message)
            case Unknown(type=name):
                self._count(name)
        return message

    def _gap(self, frame: Frame) -> SequenceGap | None:
        place = frame.place
        channel = None if place is None else self._channel_of(place[0])
        if place is None or channel is None:
            return None
        _, received = place
        expected = received if channel.next_seq is None else channel.next_seq
        # Lower numbers are repetitions, or late ones whose gap was told.
        channel.next_seq = max(expected, received + 1)
        return SequenceGap(channel.name, expected, received) if received > expected else None

    def _count(self, name: str) -> None:
        is_room = name in self.unknown or len(self.unknown) < _MAXIMUM_UNKNOWN_NAMES
        self.unknown[name if is_room else "others"] += 1

    def _advance(self, channel: _Channel) -> None:
        """Send the next command that brings the channel nearer to what is wanted, if any."""
        if channel.unanswered is not None or channel.is_ready:
            return
        if channel.sid is None:
            self._send_subscribe(channel)
        elif not channel.is_wanted:
            self._send(channel, "unsubscribe", {"sids": [channel.sid]}, set())
        elif channel.asked - channel.confirmed:
            self._send_update(channel, "add_markets", channel.asked - channel.confirmed)
        else:
            self._send_update(channel, "delete_markets", channel.confirmed - channel.asked)

    def _send_subscribe(self, channel: _Channel) -> None:
        params: dict[str, object] = {"channels": [channel.name]}
        if channel.asked:
            params["market_tickers"] = sorted(channel.asked)
        if channel.send_initial_snapshot and not channel.is_picked_here:
            params["send_initial_snapshot"] = True
        self._send(channel, "subscribe", params, channel.asked)

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
        frame = {"id": self._last_id, "cmd": command, "params": params}
        self._outbox.append(json.dumps(frame))
        channel.unanswered = _Command(self._last_id, command, set(markets))

    def _confirmed(
        self, channel: _Channel | None, sid: int | None, *, next_seq: int | None
    ) -> None:
        if channel is not None and channel.unanswered is not None:
            if sid is not None and sid != channel.sid:
                channel.sid, channel.next_seq = sid, next_seq
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

    def _failed(self, message: CommandFailed) -> Event | None:
        channel = self._channel_awaiting(message.id) or self._channel_of(message.sid)
        if channel is None:
            # Of a command that went with its subscription nobody waits for the answer.
            return None if self._was_sent(message.id) else message
        if message.code in _ENDING_CODES:
            self._forget(channel)
            return SubscriptionEnded(channel.name, tuple(sorted(channel.wanted)), message.code)
        # An error about a subscription may come without the id of the command at fault.
        refused = channel.unanswered
        if refused is not None and message.id in (refused.id, None):
            channel.unanswered = None
            asks_for_less = refused.name == "unsubscribe" or refused.markets < channel.confirmed
            if channel.sid is not None and asks_for_less:
                # To hear less, which is no need: what is not wanted is of no interest here.
                if refused.markets:
                    channel.confirmed = refused.markets
                else:
                    self._forget(channel)
                self._advance(channel)
                return None
            return SubscriptionRefused(channel.name, message.code)
        # Of one that was given up, with the subscription that has taken its place.
        return None if self._was_sent(message.id) else message

    def _was_sent(self, command_id: int | None) -> bool:
        return command_id is not None and command_id <= self._last_id

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
