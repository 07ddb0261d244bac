"""The admin's sign-in: as slow for guessers as any other sign-in with a password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from accounts import passwords
from accounts.errors import ApiError, Busy, TooManyTries, WrongPassword


class SignInForm(AdminAuthenticationForm):
    """Django's form, which also says why nobody looked at what was typed."""

    # What the response's status and headers are to tell.
    refusal: ApiError | None = None

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
        except (TooManyTries, Busy) as error:
            self.refusal = error
            raise ValidationError(str(error)) from None
        self.user_cache = user
        self.confirm_login_allowed(user)
        return self.cleaned_data


class SignInSite(AdminSite):
    """Django's admin with that form."""

    login_form = SignInForm

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; 429 or 503 with Retry-After where a try was refused."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if isinstance(form, SignInForm) and form.refusal:
            response.status_code = form.refusal.status
            for name, value in form.refusal.headers.items():
                response.headers[name] = value
        return response
