"""`PUBLIC_ORIGIN`: where people reach the server, in the words in which a browser says it."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

from config.errors import WrongSetting
from config.values import LARGEST_PORT

DEFAULT_PORTS = {"http": 80, "https": 443}
# Over http nothing leaves the machine when the browser is on it too.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_HOST = 253


@dataclass(frozen=True, slots=True)
class Origin:
    """
    An origin as browsers send it: lower case, the address in its usual form, no default port.

    Args:
        scheme: "http" or "https".
        authority: host, and port unless it is the scheme's own.
        host: as `ALLOWED_HOSTS` wants it, an IPv6 address in brackets.
    """

    scheme: str
    authority: str
    host: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def is_https(self) -> bool:
        """Whether people reach it by https alone."""
        return self.scheme == "https"


def public_origin(name: str, text: str) -> Origin | None:
    """
    The origin; None when the text is empty.

    Raises:
        WrongSetting: it is no origin, or http to more than this machine.
    """
    if not text:
        return None
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise WrongSetting(f"{name} must be without white space and backslashes.")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        raise WrongSetting(f"{name} must begin with https://, as in https://kalshi.home.example.")
    rest = rest.removesuffix("/")
    if "@" in rest:
        raise WrongSetting(f"{name} must be without a user name and password.")
    if re.search(r"[/?#]", rest):
        raise WrongSetting(f"{name} must end with the host or port: no path, query, fragment.")
    host, port = _host_and_port(name, rest)
    if scheme == "http" and host not in LOOPBACK_HOSTS:
        raise WrongSetting(f"{name} must be https: over http the session could be read on its way.")
    is_default = port in (None, DEFAULT_PORTS[scheme])
    return Origin(scheme, host if is_default else f"{host}:{port}", host)


def refuse_debug(origin: Origin | None, debug: bool) -> None:
    """
    See that nobody else is shown what goes on inside.

    Raises:
        WrongSetting: errors would be told with all their values, to whoever comes by https.
    """
    if debug and origin and origin.is_https:
        raise WrongSetting(
            "DEBUG must be false when PUBLIC_ORIGIN is https: its error pages tell the settings."
        )


def _host_and_port(name: str, text: str) -> tuple[str, int | None]:
    parts = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([^:]*))?", text)
    if not parts:
        raise WrongSetting(
            f"{name} must have one host; brackets go round an IPv6 address, as in https://[::1]."
        )
    host, port = parts[1], parts[2]
    return _host(name, host.lower()), None if port is None else _port(name, port)


def _port(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LARGEST_PORT:
        raise WrongSetting(f"{name} must have a port from 1 to {LARGEST_PORT}, or none.")
    return int(text)


def _host(name: str, host: str) -> str:
    if host.startswith("["):
        return f"[{_ipv6(name, host[1:-1])}]"
    if "*" in host:
        raise WrongSetting(f"{name} must name one host: no wildcard.")
    if not host.isascii():
        raise WrongSetting(f"{name} must be in ASCII{_punycode(host)}.")
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise WrongSetting(f"{name} must have a host, such as kalshi.home.example.")
    if labels[-1].isdecimal() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        # Browsers take it for an address, and write that in full.
        return _ipv4(name, host)
    return host


def _punycode(host: str) -> str:
    try:
        return f", as browsers send it: its host is {idna.encode(host, uts46=True).decode()}"
    except UnicodeError:
        return ""


def _ipv4(name: str, text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise WrongSetting(f"{name} must have all four numbers of an IPv4 address.") from None


def _ipv6(name: str, text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        address = None
    if address is None or address.scope_id:
        raise WrongSetting(f"{name} must have an IPv6 address in its brackets.")
    return str(address)
