"""What one client is told, to the end."""

import re
import zlib
from uuid import uuid4

import pytest

from positions.sums import Group
from streaming.web.stream import Stream
from streaming.web.watched_account import WatchedAccount
from streaming.web.watched_sum import WatchedSum
from tests.unit.streaming.web.test_watched_sum import NOON, rows


@pytest.mark.parametrize("takes_gzip", [False, True])
def test_what_was_said_while_the_client_took_its_time_is_told_before_the_end(takes_gzip):
    stream = Stream(uuid4(), 1, wanted=7, ends_at=0.0, takes_gzip=takes_gzip)
    sent = stream.first(b"retry\n")

    stream.say(b"removed\n")
    stream.end()
    sent += stream.last(b"end\n")

    assert read(sent, takes_gzip=takes_gzip) == b"retry\nremoved\nend\n"


def read(sent: bytes, *, takes_gzip: bool) -> bytes:
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(sent) if takes_gzip else sent


@pytest.mark.parametrize("takes_gzip", [False, True])
async def test_sum_repeats_the_id_of_the_event_before_it(takes_gzip):
    accounts = {each: WatchedAccount(each, lambda: NOON, lambda: 0.0) for each in (1, 2)}
    for account_id, seq in ((1, 500), (2, 70)):
        accounts[account_id].load(rows(account_id, seq, account_id))
    stream = Stream(uuid4(), 1, wanted=None, ends_at=0.0, takes_gzip=takes_gzip)
    total = WatchedSum(Group("sandbox", (1, 2), (1, 2)), accounts)
    for source in (*accounts.values(), total):
        stream.follow(source)

    sent = stream.first(b"")
    for _ in range(3 if takes_gzip else 1):
        sent += await stream.news()
    accounts[1].update(rows(1, 501, 9))
    # It leaves the sum as it is.
    accounts[2].update(rows(2, 71, 2, status="maintenance"))
    sent += await stream.news()
    accounts[2].update(rows(2, 72, 5))
    sent += await stream.news()

    told = re.findall(
        rb"id: (\d+)\nevent: (\w+)\ndata: .*?\"account_id\":(\w+)",
        read(sent, takes_gzip=takes_gzip),
    )
    sums = [place for place, (_, _, account_id) in enumerate(told) if account_id == b"null"]
    assert len(sums) == 3
    assert [told[place][0] for place in sums] == [told[place - 1][0] for place in sums]
    assert told[sums[0]][0] == b"70"
