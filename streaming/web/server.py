"""uvicorn, set up for streams that stay open for hours and for clients that stop reading."""

import errno
import socket

import uvicorn
from django.conf import settings

from streaming import open_files
from streaming.web.asgi import StreamingHandler
from streaming.web.http_connection import BoundedConnection

# Streams are told to end first; who does not let go in time is cut off.
GRACE_SECONDS = 5
KEEP_ALIVE_SECONDS = 30
# What a client that stopped reading can make the kernel hold of old figures.
SEND_BUFFER_BYTES = 64 * 1024
# A peer that answers nothing for so long is gone, whatever its connection says.
PEER_TIMEOUT_MS = 30_000
# How a machine without IPv6 says so.
WITHOUT_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
# Beside the streams: pages, calls of the API, and those who connect and say nothing.
OTHER_CONNECTIONS = 1000
# Files and connections of the process itself.
OWN_FILES = 100
# Of the reverse proxy, where it is on this machine; others are named by TRUSTED_PROXIES. uvicorn's
# own default could be widened by FORWARDED_ALLOW_IPS in the environment.
LOOPBACK = ["127.0.0.0/8", "::1", "::ffff:127.0.0.0/104"]


class DrainingServer(uvicorn.Server):
    """A server whose streams end before it stops: uvicorn alone would wait for them for ever."""

    def __init__(self, application: StreamingHandler, *, proxy_headers: bool = False) -> None:
        self._application = application
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                proxy_headers=proxy_headers,
                forwarded_allow_ips=_proxies(),
                http=BoundedConnection,
                ws="none",
                limit_concurrency=_connections_allowed(),
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        if self._application.hub:
            self._application.hub.drain()
        await super().shutdown(sockets)


def _proxies() -> list[str]:
    gateway = [settings.LOCAL_GATEWAY] if settings.LOCAL_GATEWAY else []
    return [*LOOPBACK, *gateway, *settings.TRUSTED_PROXIES]


def _connections_allowed() -> int:
    """As many as we want, or as the system lets a process have open."""
    wanted: int = settings.STREAMS_TOTAL + OTHER_CONNECTIONS
    most = open_files.allow_all()
    return wanted if most is None else min(wanted, most - OWN_FILES)


def loopback_sockets(port: int) -> list[socket.socket]:
    """
    Bound sockets of this machine alone, by all that `localhost` may mean.

    Raises:
        OSError: one of the addresses is taken, so that another program would answer there.
        OverflowError: there is no such port.
    """
    listener = listening_socket("127.0.0.1", port)
    try:
        return [listener, listening_socket("::1", listener.getsockname()[1])]
    except OSError as error:
        if error.errno in WITHOUT_IPV6:
            return [listener]
        listener.close()
        if port == 0:
            # The one that the system chose was free at one address only.
            return loopback_sockets(port)
        raise


def listening_socket(host: str, port: int) -> socket.socket:
    """
    A bound socket whose connections inherit small buffers and a time limit for silent peers.

    Raises:
        OSError: the address is taken, or not ours.
        OverflowError: there is no such port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Else all IPv6 addresses would take the IPv4 ones too.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        # Else the end of an answer may wait 40 ms until the client has said that it has the rest.
        # uvloop sees to it; asyncio only where a socket names its protocol, which ours does not.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_TIMEOUT_MS)
        listener.bind((host, port))
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener
