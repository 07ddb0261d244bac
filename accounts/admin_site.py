"""
The admin, opened by our own sessions: those of the staff, of the person, proved lately.

For everybody else who is signed in it is not there. Its sign-in is as slow for guessers as any
other sign-in with a password.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from accounts import passwords, sessions, sight
from accounts.errors import SignInAgain, WrongPassword
from accounts.responses import RefusalResponse
from postgres.sizes import table_sizes

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


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


class SignInView(LoginView):
    """Django's, but for the session: it is ours."""

    next_page = "admin:index"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        _, token = sessions.take_over(self.request, form.get_user())
        response = HttpResponseRedirect(self.get_success_url())
        sessions.set_cookie(response, token)
        return response


class SignInSite(AdminSite):
    """Django's admin behind our sessions, with a page of how large the tables are."""

    index_template = "admin/desk.html"

    def get_urls(self) -> list[Any]:  # Any: Django's patterns and resolvers
        """Before Django's own, whose last one takes whatever is left."""
        return [path("tables/", self.admin_view(self.tables), name="tables"), *super().get_urls()]

    def tables(self, request: HttpRequest) -> HttpResponse:
        """How much room each table takes."""
        sizes = table_sizes()
        context = self.each_context(request) | {
            "title": "Tables",
            "tables": sizes,
            "total_bytes": sum(each.total_bytes for each in sizes),
        }
        return TemplateResponse(request, "admin/tables.html", context)

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        """Django's name for what stands before each page."""
        inner = super().admin_view(view, cacheable)
        # Whose session it is may end it, however long ago they proved it.
        is_logout = view == self.logout

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            session = sessions.of_request(request)
            if session is None:
                # To the sign-in, as Django does.
                return inner(request, *args, **kwargs)
            if not session.user.is_staff:
                raise Http404
            if not is_logout and not sight.is_proved(session):
                return self._asked_to_sign_in_again(request)
            return inner(request, *args, **kwargs)

        return cast(_View, guarded)

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The sign-in's page; for those who are signed in and not of the staff there is none."""
        session = sessions.of_request(request)
        if session is not None and not session.user.is_staff:
            raise Http404
        if request.method == "GET" and session is not None and sight.is_proved(session):
            return HttpResponseRedirect(self._index())
        view = self._sign_in(request, extra_context or {})
        return cast(HttpResponse, view.dispatch(request))

    def logout(  # type: ignore[override]  # Django shows a page; we go on
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """End the session, of the page too."""
        response = HttpResponseRedirect(reverse("admin:login", current_app=self.name))
        session = sessions.of_request(request)
        if session is not None and request.method == "POST":
            sessions.end(session)
            sessions.clear_cookie(response)
        return response

    def password_change(  # type: ignore[override]  # as above
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where everybody changes it."""
        return HttpResponseRedirect("/settings")

    def _index(self) -> str:
        return reverse("admin:index", current_app=self.name)

    def _sign_in(self, request: HttpRequest, extra_context: dict[str, Any]) -> SignInView:
        context: dict[str, Any] = self.each_context(request) | {
            "title": "Sign in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            REDIRECT_FIELD_NAME: self._index(),
        }
        if REDIRECT_FIELD_NAME in request.GET or REDIRECT_FIELD_NAME in request.POST:
            del context[REDIRECT_FIELD_NAME]
        request.current_app = self.name
        view = SignInView(
            extra_context=context | extra_context,
            authentication_form=SignInForm,
            template_name="admin/login.html",
        )
        view.setup(request)
        return view

    def _asked_to_sign_in_again(self, request: HttpRequest) -> HttpResponse:
        # The form goes to the sign-in: the page that was asked for would ask for it for ever.
        context = {
            "sign_in_again": str(SignInAgain()),
            "app_path": reverse("admin:login", current_app=self.name),
        }
        if request.method == "GET":
            context[REDIRECT_FIELD_NAME] = request.get_full_path()
        view = self._sign_in(request, context)
        # Empty: what was sent was for the page that was asked for, and is no sign-in.
        context = view.get_context_data(form=SignInForm(request))
        page = render_to_string("admin/login.html", context, request)
        return RefusalResponse(page, status=HTTPStatus.FORBIDDEN)
