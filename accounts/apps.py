"""The app of accounts, their keys and their sessions."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
