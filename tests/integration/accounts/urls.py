"""The account endpoints and the admin, mounted as the product mounts them."""

from django.contrib import admin
from django.urls import path
from ninja import NinjaAPI

from accounts.api import router
from accounts.responses import answer_errors

api = NinjaAPI(urls_namespace="accounts-tests")
api.add_router("/account/", router)
answer_errors(api)

urlpatterns = [path("api/v1/", api.urls), path("admin/", admin.site.urls)]
