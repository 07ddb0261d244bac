"""
A stream as one gzip file that never waits: snapshots in it are compressed, events are not.

A snapshot is most of a stream's first second and compresses to a fifth. An event is small, and to
compress it well a client's own window of all that went before would have to be kept, a quarter of a
megabyte each. So events stand in *stored* blocks, five bytes and the text, and whatever is
compressed begins with an empty window and ends on a whole byte: it serves every client, anywhere
between two other blocks. What is kept for a client is two numbers, the checksum and the length.

The blocks are RFC 1951's, what is around them RFC 1952's.
"""

import struct
import zlib
from dataclasses import dataclass

# Deflate; no name, no time, no operating system.
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# Of a stored block, whose length has sixteen bits.
_LONGEST = 65_535
_LAST = b"\x01\x00\x00\xff\xff"
# The usual level takes three times as long and leaves out a fifth more.
_LEVEL = 1
# Of the checksum: the polynomial and the number one, lowest power first, as zlib has them.
_POLYNOMIAL = 0xEDB88320
_ONE = 0x80000000


@dataclass(frozen=True, slots=True)
class Deflated:
    """
    A text as compressed blocks that need nothing of what stands before them.

    Attributes:
        blocks: they end on a whole byte, and none of them is the last.
        crc, size: of the text.
        shift: what a checksum is multiplied by for so long a text to follow.
    """

    blocks: bytes
    crc: int
    size: int
    shift: int


def deflated(text: bytes) -> Deflated:
    """Compress a text by itself; for a megabyte that takes some six milliseconds."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    blocks = compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return Deflated(blocks, zlib.crc32(text), len(text), _shift(len(text)))


class GzipStream:
    """One client's stream: what it is sent, in order, as the bytes of one gzip file."""

    def __init__(self) -> None:
        self._crc = 0
        self._size = 0

    def begin(self) -> bytes:
        """What stands before all else."""
        return _HEAD

    def add(self, *parts: bytes | Deflated) -> bytes:
        """These parts; whoever has the bytes can read all of them."""
        written: list[bytes] = []
        for part in parts:
            if isinstance(part, Deflated):
                self._crc = _product(part.shift, self._crc) ^ part.crc
                self._size += part.size
                written.append(part.blocks)
            else:
                self._crc = zlib.crc32(part, self._crc)
                self._size += len(part)
                for start in range(0, len(part), _LONGEST):
                    block = part[start : start + _LONGEST]
                    written += (struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block)
        return b"".join(written)

    def end(self) -> bytes:
        """What stands after all else."""
        return _LAST + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF)


def is_accepted(accept_encoding: str) -> bool:
    """Whether a client that sent this header takes gzip; who says nothing, or all, does not."""
    for choice in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in choice.split(";"))
        if coding == "gzip":
            return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")


# The checksum of two texts, one after the other, from those of each: so that who is sent a snapshot
# needs not read it for that. zlib can do it (`crc32_combine`), Python does not pass it on.


def _shift(size: int) -> int:
    """x to the power of so many bytes' bits, modulo the polynomial."""
    power, square = _ONE, _ONE >> 8
    while size:
        if size & 1:
            power = _product(power, square)
        square = _product(square, square)
        size >>= 1
    return power


def _product(one: int, other: int) -> int:
    """Of two polynomials over GF(2), modulo the checksum's."""
    product = 0
    bit = _ONE
    while bit:
        if one & bit:
            product ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
        bit >>= 1
    return product
