"""The sum of several accounts, as streams are told it."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from positions.connection import ConnectionState, Heartbeat
from positions.models import AccountStream
from positions.reading import AccountRows
from positions.sums import Group
from streaming.web.fanout import Subscriber
from streaming.web.watched_account import WatchedAccount
from streaming.web.watched_sum import WatchedSum

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIVE = ConnectionState("live", since=NOON)


def rows(account_id: int, seq: int, cash: int, **odd: object) -> AccountRows:
    stream = AccountStream(
        account_id=account_id,
        epoch=1,
        seq=seq,
        cash=Decimal(cash),
        cash_as_of=NOON,
        updated_at=NOON,
        **odd,
    )
    return AccountRows(stream, [], LIVE, Heartbeat(NOON, 0.0))


def test_sum_that_cannot_be_added_up_is_unknown_and_its_members_go_on(caplog):
    accounts = {each: WatchedAccount(each, lambda: NOON, lambda: 0.0) for each in (1, 2)}
    total = WatchedSum(Group("sandbox", (1, 2), (1, 2)), accounts)
    subscriber = Subscriber(lambda: None)
    total.channel.join(subscriber)

    def told() -> str | None:
        data = total.channel.take(subscriber).partition(b"data: ")[2]
        return json.loads(data)["cash"]

    for account_id, account in accounts.items():
        account.load(rows(account_id, 1, account_id))
    before = told()
    for seq in (2, 3):
        accounts[1].update(rows(1, seq, 5, estimated_count="several"))
    meanwhile = told()
    accounts[1].update(rows(1, 4, 5))

    assert (before, meanwhile, told()) == ("3", None, "7")
    assert [each.message for each in caplog.records] == ["sum cannot be shown"]
