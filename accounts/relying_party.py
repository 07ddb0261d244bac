"""
Who asks for passkeys: this server by its name, which is all that browsers know it by.

Apart from `passkeys`, whose library most processes never need.
"""

from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.request import split_domain_port

from accounts.models import Passkey

LOOPBACK_ADDRESSES = ("127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """
    Who asks for passkeys, as browsers know it.

    Attributes:
        host: its id: passkeys made for another host are not offered here.
        origins: the pages that may ask.
    """

    host: str
    origins: tuple[str, ...]


def relying_party(request: HttpRequest) -> RelyingParty:
    """This server by its name; for addresses of this machine, which have none, `localhost`."""
    origin = settings.PUBLIC_ORIGIN or _own_origin(request)
    scheme, _, authority = origin.partition("://")
    host, port = _host_and_port(authority)
    if host in LOOPBACK_ADDRESSES:
        return RelyingParty("localhost", (f"{scheme}://localhost{port}", origin))
    return RelyingParty(host, (origin,))


def _own_origin(request: HttpRequest) -> str:
    # The host is this machine's own, as ALLOWED_HOSTS has it. The port in the header is the
    # sender's word: another program's page, at another port, could have it send that one.
    host, _ = _host_and_port(request.get_host())
    port = request.META["SERVER_PORT"]
    return f"http://{host}" if port == "80" else f"http://{host}:{port}"


def relying_host() -> str:
    """The host of `relying_party`, whoever asks."""
    host, _ = _host_and_port((settings.PUBLIC_ORIGIN or "http://localhost").partition("://")[2])
    return "localhost" if host in LOOPBACK_ADDRESSES else host


def is_possible(request: HttpRequest) -> bool:
    """Whether browsers make and use passkeys for the address that was asked."""
    host, _ = _host_and_port(request.get_host())
    return host == relying_party(request).host and not _is_address(host)


def better_origin(request: HttpRequest) -> str | None:
    """Where passkeys are possible if they are not here, as far as there is such a place."""
    party = relying_party(request)
    return None if is_possible(request) or _is_address(party.host) else party.origins[0]


def orphans(host: str) -> QuerySet[Passkey]:
    """Those that were made for another host than this, so that no browser offers them here."""
    return Passkey.objects.exclude(relying_party=host)


def _host_and_port(authority: str) -> tuple[str, str]:
    """As they are put together again: with its brackets, and with its colon."""
    host, port = split_domain_port(authority)
    return host, f":{port}" if port else ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
