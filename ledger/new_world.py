"""An exchange that begins anew, as the sandbox does at each start: what happened never did."""

from django.db import transaction

from ledger import models

# All but what the owner wrote or imported.
_OF_THE_WORLD = (
    models.Trade,
    models.CollateralFlow,
    models.Fill,
    models.Settlement,
    models.Transfer,
    models.Book,
    models.Unexplained,
    models.Balance,
    models.EquityPoint,
    models.Hole,
    models.Followed,
)


@transaction.atomic
def forget_the_old(environment: str) -> None:
    """Delete what is recorded of an environment's accounts; no worker follows them meanwhile."""
    for model in _OF_THE_WORLD:
        model.objects.filter(account__environment=environment).delete()
