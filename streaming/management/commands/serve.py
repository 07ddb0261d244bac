"""`manage.py serve`: the production web server."""

import signal
import sys
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts import registration, relying_party
from postgres import patience
from streaming.web.asgi import StreamingHandler
from streaming.web.server import DrainingServer, listening_socket, loopback_sockets

# By both of its addresses: a browser takes which it likes.
LOCALHOST = "localhost"
SWITCH_SECONDS = 0.0005


class Command(BaseCommand):
    """Serve the product until told to stop."""

    help = "Serves the dashboard, the API and the streams."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default=LOCALHOST, help="default: %(default)s")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="default: PORT, now %(default)s"
        )

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        is_published_here = settings.LOCAL_GATEWAY is not None
        if not (_is_loopback(host) or settings.COOKIES_SECURE or is_published_here):
            raise CommandError(
                f"Refusing to listen on {host}: without an https PUBLIC_ORIGIN the session would "
                "cross the network in clear text. Set PUBLIC_ORIGIN, or listen on 127.0.0.1; in a "
                "container of which only loopback is published, set PUBLISHED_ON_LOOPBACK."
            )
        # Requests run in threads. Python's 5 ms would be what each of them may keep the streams
        # waiting, again and again.
        sys.setswitchinterval(SWITCH_SECONDS)
        patience.adopt(patience.WEB)
        try:
            listeners = (
                loopback_sockets(port) if host == LOCALHOST else [listening_socket(host, port)]
            )
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise CommandError(f"Cannot listen on {host}:{port}: {reason}.") from None
        address = LOCALHOST if is_published_here else f"[{host}]" if ":" in host else host
        origin = settings.PUBLIC_ORIGIN or f"http://{address}:{listeners[0].getsockname()[1]}"
        self.stdout.write(f"Serving {origin}")
        self._tell_of_people()
        self.stdout.flush()  # also into a pipe or a file
        server = DrainingServer(
            StreamingHandler(), proxy_headers=settings.PUBLIC_ORIGIN is not None
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn does so itself while it serves, and in the end raises what it got once more
            # for whoever handled it before: then an orderly end would look like a crash.
            signal.signal(number, server.handle_exit)
        server.run(sockets=listeners)

    def _tell_of_people(self) -> None:
        """Print what only whoever runs the server may read."""
        try:
            link = registration.first_link()
            lost = relying_party.orphans(relying_party.relying_host()).count()
        except Error:
            # Not there yet, or without tables: /readyz tells.
            return
        if link is not None:
            self.stdout.write(
                "Nobody uses this server yet. The first person opens this link, once, within "
                f"seven days: {link.url}"
            )
        if lost:
            self.stdout.write(
                f"{lost} of the passkeys here were made for another address than "
                f"{relying_party.relying_host()}, and open nothing at this one. Put the old "
                "PUBLIC_ORIGIN back, or let people in by password, key, or manage.py recover."
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
