import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_set_aside_by_staff'),
        ('ledger', '0009_reasons_of_failing'),
        ('positions', '0007_reasons_of_failing'),
    ]

    operations = [
        migrations.RenameModel(old_name='Book', new_name='RecordedPosition'),
        migrations.AlterField(
            model_name='recordedposition',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account'),
        ),
        migrations.RemoveConstraint(model_name='recordedposition', name='book_once'),
        migrations.AddConstraint(
            model_name='recordedposition',
            constraint=models.UniqueConstraint(fields=('account', 'market'), name='recorded_position_once'),
        ),
    ]
