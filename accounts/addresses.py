"""Where a request comes from."""

from ipaddress import IPv6Address, ip_address

from django.http import HttpRequest

FORWARDING_HEADERS = (
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-forwarded-",
    "x-real-ip",
)


def is_direct_loopback(request: HttpRequest) -> bool:
    """
    Whether the request was made on this machine, not merely passed on by a proxy on it.

    A proxy's header alone makes a request a foreign one: a visitor can add such headers, but
    cannot keep a proxy from adding them.
    """
    if any(name.lower().startswith(FORWARDING_HEADERS) for name in request.headers):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a Unix socket has no address, and a proxy at its other end
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
