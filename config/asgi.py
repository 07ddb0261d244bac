"""The ASGI application for other servers than `manage.py serve`; they must support lifespan."""

import os
import sys

import django

from config.errors import WrongSetting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    django.setup(set_prefix=False)
except WrongSetting as error:
    sys.exit(str(error))

from postgres import patience  # as below
from streaming.web.asgi import StreamingHandler  # needs the apps

patience.adopt(patience.WEB)
application = StreamingHandler()
