"""The admin's sign-in: as slow for guessers as any other sign-in with a password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.views.decorators.debug import sensitive_variables

from accounts import passwords
from accounts.errors import WrongPassword


class SignInForm(AdminAuthenticationForm):
    """
    Django's form. That nobody looked at what was typed is no error of the form's: TooManyTries and
    Busy pass through it, and are told as everywhere.
    """

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:  # Any: Django's own signature
        username = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if self.request is None or username is None or not password:
            return self.cleaned_data
        try:
            user = passwords.check(self.request, username=username, password=password)
        except WrongPassword:
            raise self.get_invalid_login_error() from None
        self.user_cache = user
        self.confirm_login_allowed(user)
        return self.cleaned_data


class SignInSite(AdminSite):
    """Django's admin with that form."""

    login_form = SignInForm
