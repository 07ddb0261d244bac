"""What can be wrong before anything runs."""

from django.core.exceptions import ImproperlyConfigured


class WrongSetting(ImproperlyConfigured):
    """
    A setting that can't be.

    The message is one line that names the variable and the remedy, and never the value, which may
    be a secret.
    """
