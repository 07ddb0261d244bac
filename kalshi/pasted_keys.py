"""
API key IDs and private keys as people paste them.

Keys pass through mails, JSON, configuration files and secret stores before they are pasted. What
these do to a key is undone here; what is no key is named, with what to do about it.

What always holds: no more than `_MAXIMUM_LENGTH` characters of a key are worked on, base64 around
a key file is taken off once, and no message repeats any of what was pasted.
"""

import base64
import re

# An RSA key of 4,096 bits takes 3,300 characters, 4,400 as base64 in lines; there is room for one
# that is too large, to be refused by its size, and for the public key beside it.
_MAXIMUM_LENGTH = 10_000
_MAXIMUM_ID_LENGTH = 128
# The longest of labels, quotes and spaces that an ID may stand among.
_MAXIMUM_AROUND_ID = 100

_ESCAPED_LINE_END = re.compile(r"\\{1,2}[rn]")
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL
)
_SSH_PUBLIC_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]{1,40}\s{1,4}AAAA|BEGIN SSH2 PUBLIC KEY")
# "-----BEGI", in base64.
_WRAPPED_BEGIN = "LS0tLS1CRUdJ"
# How the body of every Ed25519 key begins: short enough to pass for an ID.
_ED25519_BODY = "MC4CAQAwBQYDK2VwBCIEI"
_URL_SAFE = str.maketrans("-_", "+/")

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The words of labels such as `API Key ID`, KALSHI_API_KEY_ID or KALSHI-ACCESS-KEY, run together.
_LABEL = re.compile(r"(?:export|kalshi|prod|production|demo|sandbox|api|access|key|id)+")
_LABELLED = re.compile(r"(.*)[\s:=]([^\s:=]+)", re.DOTALL)
# No ID that the exchange gives begins or ends with one of these.
_AROUND = " \t\r\n\xa0\u200b\ufeff\"'`“”‘’,;"

_ID_EXAMPLE = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"


class InvalidKey(ValueError):
    """A key that cannot sign. The message tells a person what to do and never holds the key."""


def private_key_der(text: str) -> bytes:
    """
    What the first private key in a pasted text holds, as DER; whether it is a key is left open.

    Taken as well: line ends of any kind, spelled out (`\\n`, also with two backslashes) or lost;
    quotes, a byte order mark, words and other blocks around the key; base64 of the whole file.

    Raises:
        InvalidKey: no private key in PEM, or one that a passphrase protects, or too long a text.
    """
    if len(text) > _MAXIMUM_LENGTH:
        raise InvalidKey("This is too long for a private key. Paste the key alone.")
    text = _unwrapped(_with_line_ends(text))
    found = _PRIVATE_KEY.search(text)
    if found is None:
        raise InvalidKey(_why_no_private_key(text))
    label, body = found.groups()
    if "OPENSSH" in label:
        raise InvalidKey(_OPENSSH)
    if "ENCRYPTED" in label or "ENCRYPTED" in body:
        raise InvalidKey(ENCRYPTED)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        # Not chained: an error from parsing a key is not worth the risk of quoting it.
        raise InvalidKey(DAMAGED) from None


def api_key_id(text: str) -> str:
    """
    The ID in a pasted text, without the label, quotes and white space around it.

    Kalshi's IDs are UUIDs; as that is nowhere promised, all that fits a header is let through.

    Raises:
        InvalidKey: more than one word, a character that is not printable ASCII, a key in the
            ID's place, or too long a text.
    """
    if _BEGIN.search(text) or _WRAPPED_BEGIN in text or _ED25519_BODY in text:
        raise InvalidKey(_KEY_IN_PLACE_OF_ID)
    if len(text) > _MAXIMUM_ID_LENGTH + _MAXIMUM_AROUND_ID:
        raise InvalidKey(_LONG_ID)
    found = _without_label(text)
    if len(found) > _MAXIMUM_ID_LENGTH:
        raise InvalidKey(_LONG_ID)
    if not fits_header(found):
        raise InvalidKey(
            f"An API key ID is one word of letters, digits and dashes, such as {_ID_EXAMPLE}. "
            "Copy it again from Kalshi."
        )
    return found


def fits_header(key_id: str) -> bool:
    """Whether a key ID can be sent: printable ASCII without spaces, and not empty."""
    return key_id != "" and key_id.isascii() and key_id.isprintable() and " " not in key_id


def _with_line_ends(text: str) -> str:
    # Keys that went through JSON or a configuration file have their line ends spelled out.
    return _ESCAPED_LINE_END.sub("\n", text)


def _unwrapped(text: str) -> str:
    """The file that `text` is the base64 of, if it is one that holds a block; else the text."""
    if "-----BEGIN" in text:
        return text
    # What stands before the file, such as a variable's name, ends where its first dashes begin.
    wrapped = text[max(text.find(_WRAPPED_BEGIN), 0) :].strip(_AROUND)
    symbols = "".join(wrapped.split()).rstrip("=").translate(_URL_SAFE)
    try:
        content = base64.b64decode(symbols + "=" * (-len(symbols) % 4), validate=True)
    except ValueError:
        return text
    # A block is ASCII; whatever else the file holds must only not get in the way.
    unwrapped = _with_line_ends(content.decode("latin-1"))
    return unwrapped if "-----BEGIN" in unwrapped else text


def _without_label(text: str) -> str:
    bare = text.strip(_AROUND)
    labelled = _LABELLED.fullmatch(bare)
    if labelled is None:
        return bare
    label, rest = labelled.groups()
    # `API key ID` alone is a label without an ID, rather than the ID `ID`.
    return rest.strip(_AROUND) if _is_label(label) and not _is_label(rest) else bare


def _is_label(text: str) -> bool:
    return _LABEL.fullmatch(re.sub(r"[^a-z0-9]", "", text.lower())) is not None


def _why_no_private_key(text: str) -> str:
    labels = _BEGIN.findall(text)
    for ending, explanation in _BY_LABEL.items():
        if any(label.endswith(ending) for label in labels):
            return explanation
    if _SSH_PUBLIC_KEY.search(text):
        return PUBLIC
    if len(text) <= _MAXIMUM_ID_LENGTH + _MAXIMUM_AROUND_ID and _UUID.fullmatch(
        _without_label(text)
    ):
        return _ID_IN_PLACE_OF_KEY
    return _NO_PEM


ENCRYPTED = (
    "This private key is protected by a passphrase. Remove it, for example with "
    "`openssl pkey -in protected.pem -out plain.pem`, and paste the result."
)
PUBLIC = "This is a public key. Paste the private key that belongs to it."
DAMAGED = (
    "This private key is incomplete, damaged or of an unknown kind. "
    "Copy it again from the file that Kalshi gave you."
)
_OPENSSH = (
    "This private key is in OpenSSH's own format. Paste the file that Kalshi gave you; if this "
    "is that key, rewrite a copy of it with `ssh-keygen -p -m PKCS8 -f copy` and paste the copy."
)
_CERTIFICATE = (
    "This is a certificate, which holds no private key. Paste the private key that Kalshi gave "
    "you with the API key ID."
)
_CERTIFICATE_REQUEST = (
    "This is a certificate request, which holds no private key. Paste the private key that "
    "Kalshi gave you with the API key ID."
)
_CUT_OFF = (
    "This private key is cut off: the END line that belongs to its BEGIN line is missing. "
    "Paste the whole file that Kalshi gave you."
)
_NO_PEM = (
    "This is not a private key in PEM format. Paste the whole file that Kalshi gave you, "
    "with its BEGIN and END lines."
)
_ID_IN_PLACE_OF_KEY = (
    "This is an API key ID in the place of the private key. Paste the whole file of the private "
    "key here, with its BEGIN and END lines, and the ID into its own field."
)
_KEY_IN_PLACE_OF_ID = (
    "This is a key in the place of the API key ID. Paste the private key into its own field, and "
    f"here the ID that Kalshi shows with it, such as {_ID_EXAMPLE}."
)
_LONG_ID = (
    f"This is too long for an API key ID, which looks like {_ID_EXAMPLE}. "
    "Paste the ID alone; the private key goes into its own field."
)
# By the last words after BEGIN; the first that fits says it.
_BY_LABEL = {
    "OPENSSH PRIVATE KEY": _OPENSSH,
    "ENCRYPTED PRIVATE KEY": ENCRYPTED,
    "PRIVATE KEY": _CUT_OFF,
    "CERTIFICATE REQUEST": _CERTIFICATE_REQUEST,
    "CERTIFICATE": _CERTIFICATE,
    "PUBLIC KEY": PUBLIC,
}
