"""The ASGI application for other servers than `manage.py serve`; they must support lifespan."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from postgres import patience  # noqa: E402  # as below
from streaming.web.asgi import StreamingHandler  # noqa: E402  # needs the apps

patience.adopt(patience.WEB)
application = StreamingHandler()
