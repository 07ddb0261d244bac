import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError

from accounts.models import Account
from positions.models import AccountStream, Market, Position
from tests.integration.positions.conftest import hold

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def written(opened) -> Position:
    """A position of ten YES, priced, as the cache writes it."""
    hold(opened, 1)
    return Position.objects.get()


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("position_exposure_not_negative", {"exposure": "-0.000001"}),
        ("position_closed_exactly_when_flat", {"quantity": 0}),
        ("position_closed_exactly_when_flat", {"closed_reason": "closed"}),
        ("position_value_exactly_with_a_mark", {"mark": None}),
        ("position_value_exactly_with_a_mark", {"mark_source": None}),
        ("position_value_exactly_with_a_mark", {"market_value": None}),
        ("position_value_exactly_with_a_mark", {"mark": None, "mark_source": None}),
        ("position_realized_pnl_known_while_open", {"realized_pnl": None}),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_position_that_cannot_be_is_refused(written, constraint, values):
    with pytest.raises(IntegrityError, match=constraint):
        Position.objects.filter(pk=written.pk).update(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"mark": None, "mark_source": None, "market_value": None},
        {"quantity": 0, "closed_reason": "closed", "realized_pnl": None},
        {"exposure": 0},
    ],
    ids=["unpriced", "closed", "without a cost"],
)
def test_position_that_can_be_is_stored(written, values):
    assert Position.objects.filter(pk=written.pk).update(**values) == 1


def test_account_has_one_position_in_a_market(written):
    again = Position.objects.get(pk=written.pk)
    again.pk = None

    with pytest.raises(IntegrityError, match="position_once_per_account_and_market"):
        again.save(force_insert=True)


def test_ticker_names_one_market_of_an_environment(written):
    again = Market.objects.get()
    again.pk = None

    with pytest.raises(IntegrityError, match="market_once_per_environment"):
        again.save(force_insert=True)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("stream_summed_exactly_when_reconciled", {"positions_value": None}),
        ("stream_summed_exactly_when_reconciled", {"reconciled_at": None}),
        ("stream_total_is_cash_and_positions", {"total_value": 5}),
        ("stream_total_is_cash_and_positions", {"total_value": 5, "cash": 2}),
    ],
    ids=["no sums", "not reconciled", "no cash", "wrong sum"],
)
def test_stream_that_cannot_be_is_refused(written, constraint, values):
    with pytest.raises(IntegrityError, match=constraint):
        AccountStream.objects.update(**values)


@pytest.mark.parametrize(
    "values",
    [
        # 1 and the positions' 4
        {"total_value": 5, "cash": 1},
        {"total_value": None, "cash": 1},
        {"reconciled_at": None, "positions_value": None},
    ],
    ids=["with cash", "total unknown", "not reconciled"],
)
def test_stream_that_can_be_is_stored(written, values):
    assert AccountStream.objects.update(**values) == 1


def test_forgotten_account_takes_its_rows_along(written):
    Account.objects.all().delete()

    assert not Position.objects.exists()
    assert not AccountStream.objects.exists()


def test_market_that_is_held_cannot_be_deleted(written):
    with pytest.raises(ProtectedError):
        Market.objects.get().delete()
