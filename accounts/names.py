"""Names that people type to sign in, as they may be kept."""

import unicodedata

from django.utils.crypto import salted_hmac

# Django's users have no longer one.
LONGEST_NAME = 150
# A letter may fold to several.
LONGEST_FOLDED = 18 * LONGEST_NAME


def digest(name: str) -> str:
    """
    A keyed digest of the name, 64 characters, the same however its letters are written.

    People type passwords into the field of the name: what was typed is kept nowhere.
    """
    # Half a surrogate pair is no character, but JSON can hold it.
    text = folded(name).encode(errors="surrogatepass")
    return salted_hmac("accounts.names", text, algorithm="sha256").hexdigest()


def folded(name: str) -> str:
    """The name without what its letters' forms tell apart: two that fold alike are one name."""
    # What is longer is nobody's name, and would take up to half a second to normalize.
    if len(name) > LONGEST_NAME:
        return name
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def storable(text: str) -> str:
    """The text without what the database takes for no text; such a name is nobody's."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
