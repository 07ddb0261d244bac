from django.db import migrations

# Contracts that were closed by a trade counted as lost at the end. With the next connection it is
# said anew what follows.
_OPEN = """
    UPDATE ledger_settlement AS paid SET cash_flow = NULL
    WHERE paid_before IS NULL AND 2 = (
        SELECT count(*) FROM (VALUES ('yes'), ('no')) AS of(side)
        WHERE EXISTS (
            SELECT FROM ledger_fill AS fill
            WHERE fill.account_id = paid.account_id AND fill.market_id = paid.market_id
                AND fill.side = of.side
        )
    )
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_equitypoint_unpriced_count"),
    ]

    operations = [
        migrations.RunSQL(_OPEN, migrations.RunSQL.noop),
    ]
