"""Where one of the exchange's environments is reached."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Environment:
    """
    One environment of the exchange. Keys and accounts of one are unknown to the others.

    Args:
        name: "production", "demo" or "sandbox".
        api_base: REST base with path, such as `https://host/trade-api/v2`.
        ws_url: WebSocket address with path; its host differs from that of REST.
    Raises:
        ValueError: an address without a host, with a user name, query or fragment, or without
            TLS to anything but a loopback host.
    """

    name: str
    api_base: str
    ws_url: str

    def __post_init__(self) -> None:
        _check(self.api_base, secure="https", plain="http")
        _check(self.ws_url, secure="wss", plain="ws")


def _check(url: str, *, secure: str, plain: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        # The address is not repeated: one with a password in it would end up in the logs.
        raise ValueError(f"An address must read {secure}://host/path and nothing more.")
    if parts.scheme != secure and not (parts.scheme == plain and _is_loopback(parts.hostname)):
        raise ValueError(f"{url} must start with {secure}://; {plain}:// is for loopback only.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
