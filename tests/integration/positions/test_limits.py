"""Whatever a decoder lets through, its column can hold."""

from decimal import Decimal

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import CharField, IntegerField, TextField

from accounts.models import Account, AccountKey, Credential
from accounts.models.exchange_accounts import LONGEST_NAME
from kalshi import fields
from kalshi.resources import Balance, Market, PositionRow
from positions import models
from positions.cash import CashBook
from positions.pnl import MarketState, Quote
from positions.portfolio import Cash, MarketFacts
from tests.integration.positions.conftest import write
from tests.told import NOON, reconcile

pytestmark = pytest.mark.django_db(transaction=True)

# What a btree page leaves for the text of an index's row, without compression.
INDEXED_BYTES = 2_600
# The longest text and the largest number that each column can be asked to hold by what the exchange
# says, in characters or as a value; None for what only we say.
TOLD = {
    "Account.environment": None,
    "Account.subaccount": fields.MAXIMUM_SUBACCOUNT,
    "Account.name": LONGEST_NAME,
    "Account.sole_key_id": fields.LONGEST_ID,
    "AccountKey.environment": None,
    "AccountKey.subaccount": fields.MAXIMUM_SUBACCOUNT,
    "AccountKey.api_key_id": fields.LONGEST_ID,
    "Credential.environment": None,
    "Credential.api_key_id": fields.LONGEST_ID,
    "Credential.scopes": fields.LONGEST_TEXT,
    "Credential.status": None,
    # Cut to fit.
    "Credential.refused_reason": None,
    "Market.environment": None,
    "Market.ticker": fields.LONGEST_TICKER,
    "Market.event_ticker": fields.LONGEST_TICKER,
    "Market.series_ticker": fields.LONGEST_TICKER,
    "Market.title": fields.LONGEST_TEXT,
    "Market.collateral_return_type": fields.LONGEST_TEXT,
    "Market.yes_outcome": fields.LONGEST_TEXT,
    "Market.no_outcome": fields.LONGEST_TEXT,
    "Position.unreadable": None,
    "Position.market_status": fields.LONGEST_TEXT,
    "Position.mark_source": None,
    "Position.closed_reason": None,
    "Position.seq": None,
    "AccountStream.epoch": None,
    "AccountStream.seq": None,
    "AccountStream.flush": None,
    "AccountStream.status": None,
    "AccountStream.attempt": None,
    "AccountStream.reason": None,
    "AccountStream.left_out": fields.LONGEST_TEXT,
    "AccountStream.position_count": None,
    "AccountStream.unpriced_count": None,
    "AccountStream.estimated_count": None,
}
STORED = [
    Account,
    AccountKey,
    Credential,
    models.Market,
    models.Position,
    models.AccountStream,
]
COLUMNS = {
    f"{model.__name__}.{column.name}": column
    for model in STORED
    for column in model._meta.concrete_fields
    if isinstance(column, CharField | TextField | IntegerField | ArrayField)
    and not column.primary_key
}


def room(column) -> float:
    """The longest text, or the largest number, that fits into a column."""
    if isinstance(column, IntegerField):
        return connection.ops.integer_field_range(column.get_internal_type())[1]
    if isinstance(column, CharField):
        return column.max_length
    is_indexed = any(
        column.name in (constraint.fields or ())
        for constraint in column.model._meta.total_unique_constraints
    )
    return INDEXED_BYTES if is_indexed else float("inf")


def test_of_every_text_and_number_it_is_known_how_long_it_may_be():
    assert COLUMNS.keys() == TOLD.keys()


@pytest.mark.parametrize("name", [name for name in TOLD if TOLD[name]])
def test_column_holds_the_longest_that_is_told(name):
    assert TOLD[name] <= room(COLUMNS[name])


MOST = "999999999999.999999999999999999"
LEAST = "0.000000000000000001"
TEXT = "\U0001f600" * fields.LONGEST_TEXT
TICKER = "K" * fields.LONGEST_TICKER


@pytest.mark.parametrize(
    "time", ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59.999999Z"], ids=["first", "last"]
)
@pytest.mark.parametrize("quantity", ["999999999999.99", "-999999999999.99", "0.01", "-0.01"])
@pytest.mark.parametrize("cost", ["0", LEAST, MOST], ids=["no cost", "least cost", "most cost"])
@pytest.mark.parametrize("gain", [MOST, f"-{MOST}"], ids=["gain", "loss"])
def test_position_is_written_whose_every_field_is_at_its_limit(
    account, opened, time, quantity, cost, gain
):
    row = PositionRow.decode(
        {
            "ticker": TICKER,
            "position_fp": quantity,
            "market_exposure_dollars": cost,
            "realized_pnl_dollars": gain,
            "fees_paid_dollars": gain,
            "last_updated_ts": time,
        }
    )
    market = Market.decode(
        {
            "ticker": TICKER,
            "event_ticker": TICKER,
            "title": TEXT,
            "yes_sub_title": TEXT,
            "no_sub_title": TEXT,
            "status": TEXT,
            "close_time": time,
            "yes_bid_dollars": MOST,
            "yes_bid_size_fp": "1",
            "yes_ask_dollars": LEAST,
            "yes_ask_size_fp": "1",
            "last_price_dollars": "1.000000000000000000",
            "settlement_value_dollars": MOST,
        }
    )
    balance = Balance.decode(
        {"balance_dollars": gain, "portfolio_value": 10**14 - 1, "updated_ts": 0}
    )
    facts = MarketFacts(
        market.event_ticker,
        TICKER,
        market.title,
        market.yes_outcome,
        market.no_outcome,
        market.close_time,
    )
    state = MarketState(market.status, market.settlement_value)
    quote = Quote(market.yes_bid, market.yes_ask, market.last_price, row.last_updated_at)

    reconcile(opened.tracker, [row], {TICKER: (facts, state, quote)})
    opened.tracker.valuation.cash = CashBook(Cash(balance.balance, balance.portfolio_value, NOON))
    write(opened.writer, opened.tracker)

    written = models.Position.objects.of(account.pk).get()
    assert (written.market.title, written.market.close_time) == (TEXT, market.close_time)
    assert written.quantity == Decimal(quantity)
    assert opened.tracker.take_changes().positions == ()
