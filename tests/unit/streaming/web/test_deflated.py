"""Whatever a stream is made of, each part can be read as soon as its bytes are there."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.web.deflated import Deflated, GzipStream, deflated, is_accepted

# An empty last block ends what has no end of its own.
LAST = b"\x01\x00\x00\xff\xff"
# Of a part: how often what is repeated, which may be more than a stored block holds, and whether it
# is compressed.
PARTS = st.tuples(st.integers(0, 9_000), st.binary(max_size=12), st.booleans())


def made(part) -> bytes | Deflated:
    times, text, is_compressed = part
    return deflated(text * times) if is_compressed else text * times


def text_of(parts) -> bytes:
    return b"".join(text * times for times, text, _ in parts)


@given(st.lists(st.lists(PARTS, max_size=3), max_size=8))
def test_each_chunk_is_read_whole_before_the_next_is_written(chunks):
    stream, reader = GzipStream(), zlib.decompressobj(16 + zlib.MAX_WBITS)

    assert reader.decompress(stream.begin()) == b""
    for chunk in chunks:
        assert reader.decompress(stream.add(*map(made, chunk))) == text_of(chunk)
    assert reader.decompress(stream.end()) == b""
    # Which it is only where checksum and length are right.
    assert reader.eof
    assert reader.unused_data == b""


@given(st.lists(PARTS, max_size=4), st.integers(1, 5_000))
def test_bytes_may_be_cut_anywhere(parts, size):
    stream, reader = GzipStream(), zlib.decompressobj(16 + zlib.MAX_WBITS)
    sent = stream.begin() + stream.add(*map(made, parts)) + stream.end()

    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]

    assert b"".join(map(reader.decompress, pieces)) == text_of(parts)
    assert reader.eof


def test_one_compressed_text_serves_streams_that_stand_elsewhere():
    snapshot = deflated(b"snapshot" * 1000)
    early, late = GzipStream(), GzipStream()

    first = early.begin() + early.add(snapshot, b"after") + early.end()
    second = late.begin() + late.add(b"before" * 20_000, snapshot) + late.end()

    assert gzip.decompress(first) == b"snapshot" * 1000 + b"after"
    assert gzip.decompress(second) == b"before" * 20_000 + b"snapshot" * 1000


@pytest.mark.parametrize(("size", "blocks"), [(0, 0), (1, 1), (65_535, 1), (65_536, 2)])
def test_event_costs_five_bytes_for_every_sixty_four_thousand(size, blocks):
    assert len(GzipStream().add(bytes(size))) == size + 5 * blocks


def test_what_was_written_is_little_where_it_repeats():
    assert len(deflated(b'{"ticker":"KXFED-26DEC","mark":"0.57"}' * 1000).blocks) < 1000


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        ("deflate,gzip ; q=0.001", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("*", False),
        ("x-gzip", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        (",,;q=1,", False),
    ],
)
def test_gzip_is_sent_to_whoever_says_that_it_is_taken(header, accepted):
    assert is_accepted(header) is accepted
