"""The sandbox as a Django app, so that `manage.py` finds its command; it has no models."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox"
