"""Where everything is."""

from django.contrib import admin
from django.urls import path

from accounts.responses import unknown_call
from config.api import api
from streaming.web import views
from streaming.web.asgi import STREAM_PATH

handler500 = "config.database_away.server_error"

urlpatterns = [
    path("", views.page),
    path(STREAM_PATH.removeprefix("/"), views.positions_stream),
    path("api/v1/", api.urls),
    path("api/v1/<path:call>", unknown_call),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("admin/", admin.site.urls),
]
