from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_netting_change"),
    ]

    operations = [
        migrations.AddField(
            model_name="equitypoint",
            name="unpriced_count",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
