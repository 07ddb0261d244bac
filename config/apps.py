"""Django's admin with a site of our own."""

from django.contrib.admin.apps import AdminConfig


class SignInAdminConfig(AdminConfig):
    default_site = "accounts.admin_site.SignInSite"
