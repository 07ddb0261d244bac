"""
An index of `seq` cost each tick an entry in all five indexes, for a look that is rare by now: the
announcement carries what is new.
"""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('positions', '0004_find_markets_by_event'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='position',
            name='position_changes',
        ),
    ]
