"""Where everything is."""

from django.contrib import admin
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.api import api
from streaming.web import offline, pages, views
from streaming.web.asgi import HEALTH_PATH, METRICS_PATH, STREAM_PATH

handler400 = handler403 = handler404 = handler500 = "config.refusals.refused"

# Exempt are those that only read: a POST is to be told that it is no method for this.
urlpatterns = [
    path("", csrf_exempt(pages.page)),
    path("settings", csrf_exempt(pages.settings_page)),
    path("shell", offline.shell),
    path("service-worker.js", offline.service_worker),
    path("manifest.webmanifest", offline.manifest),
    path(STREAM_PATH.removeprefix("/"), views.positions_stream),
    path("api/v1/", api.urls),
    path(HEALTH_PATH.removeprefix("/"), csrf_exempt(views.healthz)),
    path(METRICS_PATH.removeprefix("/"), csrf_exempt(views.metrics)),
    path("readyz", csrf_exempt(views.readyz)),
    path("admin/", admin.site.urls),
]
