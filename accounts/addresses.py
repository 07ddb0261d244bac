"""Where a request comes from."""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

FORWARDING_HEADERS = (
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-forwarded-",
    "x-real-ip",
)

UNKNOWN_NETWORK = "unknown"
# What one customer of a provider gets, who may use any address in it.
CUSTOMER_PREFIX_BITS = 64
_WITH_PORT = re.compile(r"\[(?P<v6>[^]]*)](:[0-9]+)?|(?P<v4>[^:]*):[0-9]+")


def is_direct_loopback(request: HttpRequest) -> bool:
    """
    Whether the request was made on this machine, not merely passed on by a proxy on it.

    A proxy's header alone makes a request a foreign one: a visitor can add such headers, but
    cannot keep a proxy from adding them. In a container of which only this machine's loopback is
    published, the machine is the gateway.
    """
    return is_direct(request.META.get("REMOTE_ADDR", ""), request.headers)


def is_direct(peer: str, headers: Iterable[str]) -> bool:
    """
    The same of a request that is not Django's.

    Args:
        peer: the address at the connection's other end.
        headers: their names.
    """
    if any(name.lower().startswith(FORWARDING_HEADERS) for name in headers):
        return False
    try:
        address = ip_address(peer)
    except ValueError:  # a Unix socket has no address, and a proxy at its other end
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or str(address) == settings.LOCAL_GATEWAY


def network_of(request: HttpRequest) -> str:
    """The `network` that the request comes from."""
    return network(request.META.get("REMOTE_ADDR", ""))


def network(address: str) -> str:
    """
    Who is counted as one: an IPv4 address, or the /64 of an IPv6 address.

    Args:
        address: as the server or a proxy writes it; port, brackets and zone are taken off.
    Returns:
        Such as "192.0.2.7" or "2001:db8::/64", at most 43 characters; UNKNOWN_NETWORK for
        whatever is no address, all of it together.
    """
    if found := _WITH_PORT.fullmatch(address):
        address = found["v6"] or found["v4"] or ""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN_NETWORK
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), CUSTOMER_PREFIX_BITS), strict=False))
