import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.bodies import MAXIMUM_BYTES, Body
from kalshi.errors import AnswerTooLarge, DecodeError


def fed(body: Body, *chunks: bytes) -> bytes:
    for chunk in chunks:
        body.feed(chunk)
    return body.content


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "], ids=repr)
def test_plain_body_is_what_arrives(encoding):
    assert fed(Body(encoding, None), b"first", b"", b"second") == b"firstsecond"


@pytest.mark.parametrize("encoding", ["gzip", " GZIP"])
@given(content=st.binary(), size=st.integers(1, 10))
def test_compressed_body_is_inflated_wherever_it_was_cut(encoding, content, size):
    sent = gzip.compress(content)
    chunks = [sent[at : at + size] for at in range(0, len(sent), size)]

    assert fed(Body(encoding, str(len(sent))), *chunks) == content


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_body_of_just_the_maximum_is_taken(compress):
    body = Body("gzip" if compress is gzip.compress else None, None)

    assert len(fed(body, compress(bytes(MAXIMUM_BYTES)))) == MAXIMUM_BYTES


@pytest.mark.parametrize(
    ("encoding", "chunk"),
    [(None, bytes(MAXIMUM_BYTES + 1)), ("gzip", gzip.compress(bytes(MAXIMUM_BYTES + 1)))],
    ids=["plain", "gzip"],
)
def test_body_of_a_byte_more_is_given_up(encoding, chunk):
    body = Body(encoding, None)

    with pytest.raises(AnswerTooLarge, match=r"^The exchange's answer is too large\.$"):
        body.feed(chunk)


def test_body_is_given_up_in_the_middle_of_many_chunks():
    body = Body(None, None)
    body.feed(bytes(MAXIMUM_BYTES - 1))
    body.feed(b"x")

    with pytest.raises(AnswerTooLarge):
        body.feed(b"x")


def test_bomb_is_given_up_before_it_has_grown():
    compressor = zlib.compressobj(9, wbits=31)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(200)) + compressor.flush()
    body = Body("gzip", None)
    tracemalloc.start()

    with pytest.raises(AnswerTooLarge):
        body.feed(bomb)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 200 MiB are in it.
    assert peak < 4 * MAXIMUM_BYTES


@pytest.mark.parametrize("encoding", [None, "gzip", "br"], ids=repr)
def test_body_that_says_it_is_too_large_is_refused_before_it_arrives(encoding):
    with pytest.raises(AnswerTooLarge):
        Body(encoding, str(MAXIMUM_BYTES + 1))


@pytest.mark.parametrize("length", [str(MAXIMUM_BYTES), "", "many", "-1", "9" * 5_000], ids=len)
def test_length_that_tells_nothing_is_no_reason_to_refuse(length):
    assert fed(Body(None, length), b"body") == b"body"


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "compress", "gzip, gzip", "x"])
def test_other_compression_is_refused(encoding):
    with pytest.raises(DecodeError, match="not asked for"):
        Body(encoding, None)


@pytest.mark.parametrize(
    "sent",
    [b"", b"plain", gzip.compress(b"body")[:-1], zlib.compress(b"body"), b"\x1f\x8b\x08garbage"],
    ids=["nothing", "plain", "cut off", "zlib", "garbage"],
)
def test_broken_compression_is_refused(sent):
    with pytest.raises(DecodeError, match="compression is broken"):
        fed(Body("gzip", None), sent)
