"""Where one of the exchange's environments is reached."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

PROXY_FORM = "http://host:port or https://user:password@host:port, and nothing more"

# The host is a name of labels or an IP address.
_PROXY = re.compile(
    r"https?://"
    r"(?:[^\s:@/?#]+:[^\s@/?#]+@)?"
    r"(?:[\w-]{1,63}(?:\.[\w-]{1,63})*|\[[0-9a-f:.]+\])"
    r"(?::[0-9]{1,5})?/?",
    re.ASCII,
)


class WrongAddress(ValueError):
    """
    An address that keys must not be sent to.

    Args:
        field: the argument of `Environment` at fault.
        example: what an address of this kind looks like.
    """

    def __init__(self, message: str, *, field: str, example: str) -> None:
        super().__init__(message)
        self.field = field
        self.example = example


@dataclass(frozen=True, slots=True)
class Environment:
    """
    One environment of the exchange. Keys and accounts of one are unknown to the others.

    Args:
        name: "production", "demo" or "sandbox".
        api_base: REST base with path, such as `https://host/trade-api/v2`.
        ws_url: WebSocket address with path; its host differs from that of REST.
        proxy: an HTTP proxy that leads there, see `PROXY_FORM`; hidden, as it may hold a password.
            Loopback addresses are reached without it.
    Raises:
        WrongAddress: an address without a host, with a user name, query, fragment, white space or
            a port that is none, or without TLS to anything but a loopback host; the sandbox may
            also be a neighbour in a network of containers, which has a name without a dot.
        ValueError: a proxy of another form.
    """

    name: str
    api_base: str
    ws_url: str
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # No key of the sandbox opens anything of value.
        may_be_near = self.name == "sandbox"
        _check("api_base", self.api_base, secure="https", plain="http", may_be_near=may_be_near)
        _check("ws_url", self.ws_url, secure="wss", plain="ws", may_be_near=may_be_near)
        if self.proxy is not None and not is_proxy(self.proxy):
            raise ValueError(f"A proxy must read {PROXY_FORM}.")

    @property
    def api_proxy(self) -> str | None:
        """The proxy for REST; None to go there directly."""
        return None if _is_loopback(urlsplit(self.api_base).hostname) else self.proxy

    @property
    def ws_proxy(self) -> str | None:
        """The proxy for the WebSocket; None to go there directly."""
        return None if _is_loopback(urlsplit(self.ws_url).hostname) else self.proxy


def is_proxy(url: str) -> bool:
    """Whether this names an HTTP proxy in a form that both of our clients understand."""
    if not (url.isascii() and url.isprintable() and _PROXY.fullmatch(url)):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for one that is too large
        user = unquote(parts.username or "", errors="strict")
        unquote(parts.password or "", errors="strict")
    except ValueError:
        return False
    # In the header it would end the name.
    return ":" not in user


def _check(name: str, url: str, *, secure: str, plain: str, may_be_near: bool) -> None:
    example = f"{secure}://host/path"
    parts = _parts(url)
    if not parts or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        # The address is not repeated: one with a password in it would end up in the logs.
        raise WrongAddress(
            f"An address must read {example} and nothing more.", field=name, example=example
        )
    is_near = _is_loopback(parts.hostname) or (may_be_near and _is_neighbour(parts.hostname))
    if parts.scheme != secure and not (parts.scheme == plain and is_near):
        raise WrongAddress(
            f"An address must start with {secure}://; {plain}:// is for loopback only.",
            field=name,
            example=example,
        )


def _parts(url: str) -> SplitResult | None:
    """The address taken apart; None where that can't be done."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError where it is none
    except ValueError:
        return None
    # urlsplit would pass over some white space.
    return None if re.search(r"\s", url) else parts


def _is_neighbour(host: str) -> bool:
    # Only names that nobody can own on the internet; a number without a dot is an address there.
    return re.fullmatch(r"[a-z][a-z0-9-]*", host) is not None


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
