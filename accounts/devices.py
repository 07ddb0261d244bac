"""What a session is used from, as its owner may recognise it."""

import re
from dataclasses import dataclass

from django.http import HttpRequest

LONGEST_ADDRESS = 64
LONGEST_BROWSER = 100
# Nobody's browser has a longer name.
READ_CHARACTERS = 1000

# The first that fits: most claim to be Chrome or Safari too.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"\bOPR/(\d+)"),
    ("Samsung Internet", r"\bSamsungBrowser/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"\b(?:HeadlessChrome|Chromium|Chrome|CriOS)/(\d+)"),
    ("Safari", r"\bVersion/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from, and by what: both may be empty."""

    address: str = ""
    browser: str = ""


def device_of(request: HttpRequest) -> Device:
    """The device that a request comes from, as far as it says so."""
    address = str(request.META.get("REMOTE_ADDR") or "")
    return Device(
        _printable(address)[:LONGEST_ADDRESS], browser_name(request.headers.get("User-Agent", ""))
    )


def browser_name(user_agent: str) -> str:
    """Such as "Firefox 144 on Windows"; of what is no browser its first word."""
    text = _printable(user_agent[:READ_CHARACTERS])
    for name, pattern in _BROWSERS:
        if found := re.search(pattern, text):
            system = next((system for system, sign in _SYSTEMS if re.search(sign, text)), None)
            named = f"{name} {found[1]} on {system}" if system else f"{name} {found[1]}"
            return named[:LONGEST_BROWSER]
    return text.partition(" ")[0].replace("/", " ")[:LONGEST_BROWSER]


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
