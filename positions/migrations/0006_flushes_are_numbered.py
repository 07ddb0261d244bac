"""
A flush that its worker gave up may reach the server after a later one: it must not undo that.

The default is the database's own, so that workers of the release before can go on meanwhile.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('positions', '0005_no_index_of_ticks'),
    ]

    operations = [
        migrations.AddField(
            model_name='accountstream',
            name='flush',
            field=models.BigIntegerField(db_default=0),
        ),
    ]
