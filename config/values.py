"""
Settings of a few words: what each text means, and which text means nothing.

Each rule takes the variable's name and its text, and raises `WrongSetting` where that has no value.
"""

import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from config.errors import WrongSetting
from positions.pnl import MarkPrice

# django-environ's words. For it every other word is false, a misspelt true as well.
TRUE = ("true", "on", "ok", "y", "yes", "1")
FALSE = ("false", "off", "n", "no", "0")

Registration = Literal["first", "open", "closed"]

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


def directory(name: str, text: str) -> Path:
    """A directory, by its absolute path."""
    if not text.strip():
        # It would be whichever directory the process was started in.
        raise WrongSetting(f"{name} is empty: name a directory in it, or unset it.")
    return Path(text).absolute()


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
