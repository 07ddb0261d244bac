"""The body of an answer as it arrives: inflated if compressed, and given up when too large."""

import zlib

from kalshi.errors import AnswerTooLarge, DecodeError

# The largest that we ask for are pages of 1,000 rows and 5,000 candlesticks: some 4 MB. To parse
# this much takes at most a fifth of a second and 100 MB, see `fields.parse`.
MAXIMUM_BYTES = 8 * 2**20
# What we can take, to be named in every request.
ACCEPTED_ENCODING = "gzip"

_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS
_BROKEN = "the answer's compression is broken"


class Body:
    """
    Feed it what arrives, then take the `content`.

    Holds at most `MAXIMUM_BYTES` and one more, whatever the compressed ones stand for.

    Args:
        encoding, length: the answer's headers Content-Encoding and Content-Length; None without.
    Raises:
        AnswerTooLarge: by its length, at once, or by what arrives.
        DecodeError: compressed in a way that was not asked for, or broken.
    """

    def __init__(self, encoding: str | None, length: str | None) -> None:
        if _bytes_told(length) > MAXIMUM_BYTES:
            raise AnswerTooLarge
        self._gzip = _gzip(encoding)
        self._content = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take what arrived next."""
        # Never without a limit: a few kilobytes may stand for gigabytes. By one byte too much is
        # told from just enough.
        room = MAXIMUM_BYTES + 1 - len(self._content)
        self._content += chunk[:room] if self._gzip is None else _inflated(self._gzip, chunk, room)
        if len(self._content) > MAXIMUM_BYTES:
            raise AnswerTooLarge

    @property
    def content(self) -> bytes:
        """All of it."""
        if self._gzip and not self._gzip.eof:
            raise DecodeError(_BROKEN)
        return bytes(self._content)


def _inflated(gzip: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    try:
        return gzip.decompress(chunk, room)
    except zlib.error:
        raise DecodeError(_BROKEN) from None


def _gzip(encoding: str | None) -> "zlib._Decompress | None":
    match (encoding or "identity").strip().lower():
        case "identity":
            return None
        case "gzip":
            return zlib.decompressobj(_WITH_GZIP_HEADER)
        case _:
            raise DecodeError("the answer is compressed in a way that was not asked for")


def _bytes_told(length: str | None) -> int:
    try:
        return int(length or 0)
    except ValueError:
        # What arrives will tell.
        return 0
