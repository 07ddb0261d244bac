"""What one client is told, to the end."""

import gzip
from uuid import uuid4

import pytest

from streaming.web.stream import Stream


@pytest.mark.parametrize("takes_gzip", [False, True])
def test_what_was_said_while_the_client_took_its_time_is_told_before_the_end(takes_gzip):
    stream = Stream(uuid4(), 1, wanted=7, ends_at=0.0, takes_gzip=takes_gzip)
    sent = stream.first(b"retry\n")

    stream.say(b"removed\n")
    stream.end()
    sent += stream.last(b"end\n")

    assert (gzip.decompress(sent) if takes_gzip else sent) == b"retry\nremoved\nend\n"
