"""The ledger app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """What happened to each account, and what follows from it."""

    name = "ledger"
