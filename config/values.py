"""
Settings of a few words: what each text means, and which text means nothing.

Each rule takes the variable's name and its text, and raises `WrongSetting` where that has no value.
"""

import re
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from config.errors import WrongSetting
from positions.pnl import MarkPrice

# django-environ's words. For it every other word is false, a misspelt true as well.
TRUE = ("true", "on", "ok", "y", "yes", "1")
FALSE = ("false", "off", "n", "no", "0")

Registration = Literal["first", "open", "closed"]
LogFormat = Literal["json", "text"]

LARGEST_PORT = 65_535
LARGEST_NUMBER = 999_999_999


def boolean(name: str, text: str) -> bool:
    """Whether the text says yes."""
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise WrongSetting(f"{name} must be true or false.")
    return word in TRUE


def count(name: str, text: str) -> int:
    """A number of things, of which there is at least one."""
    return _whole_number(name, text, largest=LARGEST_NUMBER)


def port(name: str, text: str) -> int:
    """A TCP port."""
    return _whole_number(name, text, largest=LARGEST_PORT)


def _whole_number(name: str, text: str, *, largest: int) -> int:
    # int() alone takes underscores, other scripts' digits, and numbers without an end.
    digits = re.fullmatch(r"\s*([0-9]{1,9})\s*", text)
    if not digits or not 1 <= int(digits[1]) <= largest:
        raise WrongSetting(f"{name} must be a whole number from 1 to {largest}.")
    return int(digits[1])


def optional_port(name: str, text: str) -> int | None:
    """A TCP port; None if empty."""
    return port(name, text) if text.strip() else None


def directory(name: str, text: str) -> Path:
    """A directory, by its absolute path."""
    if not text.strip():
        # It would be whichever directory the process was started in.
        raise WrongSetting(f"{name} is empty: name a directory in it, or unset it.")
    return Path(text).absolute()


def networks(name: str, text: str) -> list[str]:
    """
    Addresses and networks, with commas between them, as CIDR.

    Each of IPv4 comes a second time, as a socket of both kinds writes it.
    """
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            network = ip_network(part)
        except ValueError:
            raise WrongSetting(
                f"{name} must be addresses or networks with commas between them, such as "
                "10.0.0.5,169.254.0.0/16."
            ) from None
        if network.prefixlen == 0:
            raise WrongSetting(f"{name} must not be everybody: name the proxies' own network.")
        found.append(str(network))
        if isinstance(network, IPv4Network):
            found.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return found


def page(name: str, text: str) -> str | None:
    """The address of a page to link to; None if empty."""
    address = text.strip()
    if address and not address.startswith(("http://", "https://")):
        raise WrongSetting(f"{name} must begin with http:// or https://.")
    return address or None


def timezone(name: str, text: str) -> ZoneInfo:
    """A time zone of the IANA database."""
    try:
        return ZoneInfo(text)
    # What is wrong shows in many ways: no name, no such file, a directory, a file of another kind.
    except (ValueError, KeyError, OSError):
        raise WrongSetting(
            f"{name} must be a time zone of the IANA database, such as America/New_York."
        ) from None


def mark_price(name: str, text: str) -> MarkPrice:
    """What an open position is valued at."""
    match text:
        case "bid" | "mid" | "last":
            return text
        case _:
            raise WrongSetting(f"{name} must be bid, mid or last.")


def registration(name: str, text: str) -> Registration:
    """Who may become a user by a first sign-in with a key."""
    match text:
        case "first" | "open" | "closed":
            return text
        case _:
            raise WrongSetting(f"{name} must be first, open or closed.")


def log_format(name: str, text: str, *, is_terminal: bool) -> LogFormat:
    """
    How events are written; by itself for whoever reads them.

    Args:
        is_terminal: whether that is a person at a terminal.
    """
    match text:
        case "":
            return "text" if is_terminal else "json"
        case "json" | "text":
            return text
        case _:
            raise WrongSetting(f"{name} must be json or text.")
