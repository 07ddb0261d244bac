"""What the sandbox's own hands don't do: frames that get lost, and frames that nobody expects."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from sandbox import frames
from sandbox.happenings import Happening
from sandbox.server import Sandbox


def fill_untold(sandbox: Sandbox, ticker: str, side: str, count: str, yes_price: str):
    """Let Alice's order trade without a word of it; what would have been told."""
    return sandbox.exchange.fill(
        sandbox.account, ticker, side, Decimal(count), Decimal(yes_price), sandbox.clock()
    )


def tell(sandbox: Sandbox, happened: Iterable[Happening], channels: Iterable[str]) -> None:
    """Tell of something on these channels only."""
    sent_at_ms = int(sandbox.clock().timestamp() * 1000)
    for happening in happened:
        for message in frames.messages(happening):
            if message.channel in channels:
                for connection in sandbox.connections:
                    connection.publish(message, sent_at_ms)


async def say(sandbox: Sandbox, text: str) -> None:
    """Send a frame as it is to everybody."""
    await asyncio.gather(*(connection._socket.send_str(text) for connection in sandbox.connections))


def subscribed_markets(sandbox: Sandbox) -> set[str]:
    """The markets whose ticker is subscribed to on any connection."""
    return {
        ticker
        for connection in sandbox.connections
        for channel, subscription in connection.session._subscriptions.items()
        if channel == "ticker"
        for ticker in subscription.tickers or ()
    }


def follows_all(sandbox: Sandbox) -> bool:
    """Whether any connection is told of all markets' prices."""
    subscriptions = (each.session._subscriptions.get("ticker") for each in sandbox.connections)
    return any(each and each.tickers is None for each in subscriptions)


def key_ids(sandbox: Sandbox) -> list[str]:
    """The keys that signed for the open connections."""
    return [connection.session.key.api_key_id for connection in sandbox.connections]
