"""The streaming app."""

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    """The worker that feeds the cache, and the streams that read it."""

    name = "streaming"
