from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kalshi.errors import DecodeError
from kalshi.transfers import ExchangeTransfer, Payment, SubaccountTransfer


def test_payments_are_decoded_in_dollars(answers):
    applied, pending = map(Payment.decode, answers["deposits"]["deposits"])

    assert (applied.status, applied.method, applied.amount) == ("applied", "ach", Decimal(500))
    assert applied.finalized_at == datetime(2026, 9, 22, 14, 13, 20, tzinfo=UTC)
    assert (pending.amount, pending.fee) == (Decimal("25.01"), Decimal("0.51"))
    assert pending.finalized_at is None


def test_transfer_between_subaccounts_is_decoded_in_dollars(answers):
    transfer = SubaccountTransfer.decode(answers["subaccount_transfers"]["transfers"][0])

    assert transfer == SubaccountTransfer(
        id="s-1",
        from_subaccount=0,
        to_subaccount=3,
        amount=Decimal("125.50"),
        created_at=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        exchange_index=0,
    )


def test_transfer_within_the_exchange_is_decoded_with_both_its_ends(answers):
    transfer = ExchangeTransfer.decode(answers["exchange_transfers"]["transfers"][1])

    assert transfer == ExchangeTransfer(
        id="x-2",
        source="event_contract",
        destination="margined",
        source_shard=0,
        destination_shard=0,
        amount=Decimal("10.0001"),
        status="pending",
        created_at=datetime(2026, 9, 22, 18, tzinfo=UTC),
    )


@pytest.mark.parametrize("shard", [None, "first", 0.5], ids=repr)
def test_transfer_counts_whatever_is_said_of_shards(answers, shard):
    (told, *_), (moved, *_) = (
        answers[name]["transfers"] for name in ("exchange_transfers", "subaccount_transfers")
    )

    transfer = ExchangeTransfer.decode(
        {**told, "source_exchange_shard": shard, "destination_exchange_shard": shard}
    )
    within = SubaccountTransfer.decode({**moved, "exchange_index": shard})

    assert (transfer.source_shard, transfer.destination_shard) == (None, None)
    assert (within.exchange_index, within.amount) == (None, Decimal("125.50"))


@pytest.mark.parametrize(
    ("kind", "answer", "rows"),
    [
        (Payment, "deposits", "deposits"),
        (ExchangeTransfer, "exchange_transfers", "transfers"),
    ],
)
def test_status_of_next_year_is_kept_as_it_is_told(answers, kind, answer, rows):
    record = answers[answer][rows][0] | {"status": "held_for_review"}

    assert kind.decode(record).status == "held_for_review"


@pytest.mark.parametrize("kind", [Payment, SubaccountTransfer, ExchangeTransfer])
@pytest.mark.parametrize("value", [None, [], "text", 7, {}], ids=repr)
def test_anything_undocumented_is_refused(kind, value):
    with pytest.raises(DecodeError):
        kind.decode(value)


@pytest.mark.parametrize("cents", [10**14, -(10**14), 1.5, "100", True, None], ids=repr)
def test_cents_that_are_no_amount_are_refused(answers, cents):
    with pytest.raises(DecodeError, match="amount_cents"):
        Payment.decode(answers["deposits"]["deposits"][0] | {"amount_cents": cents})
