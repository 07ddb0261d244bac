"""The positions app."""

from django.apps import AppConfig


class PositionsConfig(AppConfig):
    """Positions, their cache and their P&L."""

    name = "positions"
