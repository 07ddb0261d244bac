"""The ledger's benchmark writes its rows by hand: they must stay rows that the ledger takes."""

import pytest

from accounts.models import Account
from benchmarks.ledger import FEW, fill_up
from ledger import models


@pytest.mark.django_db
def test_its_rows_fit_the_tables_and_a_second_helping_adds_to_them(account: Account) -> None:
    fill_up(account.pk, 1, FEW, all=2 * FEW)
    fill_up(account.pk, FEW + 1, 2 * FEW, all=2 * FEW)

    assert models.Fill.objects.filter(account=account).count() == 2 * FEW
    assert models.Trade.objects.filter(account=account).count() == FEW
    assert models.EquityPoint.objects.filter(account=account).exists()
