"""What looks like a secret in a text, wherever it came from."""

import re

HIDDEN = "********************"
_REVEALING = re.compile(
    # A private key, as it is written, as a repr or HTML spells it, or in base64.
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?:[A-Za-z0-9+/=\s:,-]|\\+[nr]|['\"]|&#x27;|&quot;)*"
    r"|LS0tLS1CRUdJTi[A-Za-z0-9+/=]*"
    # A JWT. From the beginning of a word: from each place in it would take the square of the time.
    r"|(?:(?<![\w-])|(?<=\\n))eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"
    # A password among a connection's parameters, or in its address.
    r"|(?i:\bpassword['\"]?\s?[=:]\s?['\"]?)[^\s<&'\",}]+"
    r"|://[^/\s:@<]*:[^/\s@<]+@"
)


def hidden(text: str) -> str:
    """The text with stars in place of each of them."""
    return _REVEALING.sub(HIDDEN, text)
