"""
Django's technical error pages, which DEBUG shows, without a secret in them.

By name: settings, headers, cookies, fields of forms, variables. By value: whatever looks like a
secret, and each one that is known, wherever else it stands, as in an exception's message.
"""

import re
from collections.abc import ItemsView, Iterable, Iterator
from html import escape
from itertools import chain
from types import FrameType
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from config.revealing import HIDDEN, hidden

# What has such a name is hidden, whatever it is.
NAMES = re.compile(
    "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|CREDENTIAL|DATABASE_URL|DSN|PEM", re.IGNORECASE
)
# What has such a name is looked for elsewhere too. Fewer, as a cookie's path, say, is no secret.
_SECRET_NAMES = re.compile(
    r"TOKEN|SECRET|KEY|AUTHORIZATION|PASSWORD\d?$|CSRF_COOKIE$", re.IGNORECASE
)
# A password of a letter or two would hide half of the page, and protects nothing.
_SHORTEST_SECRET = 4


class ReportFilter(SafeExceptionReporterFilter):
    """What a report may show of settings, request and variables; in DEBUG too."""

    hidden_settings = NAMES

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        """Their names alone: each is somebody's."""
        return dict.fromkeys(getattr(request, "COOKIES", {}), HIDDEN)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """The names of a form's fields alone: any may hold a key that was pasted into it."""
        return {} if request is None else dict.fromkeys(request.POST, HIDDEN)

    def get_cleansed_multivaluedict(
        self, request: HttpRequest, multivaluedict: QueryDict
    ) -> QueryDict:
        """The same where a variable holds the form."""
        hidden = QueryDict(mutable=True)
        hidden.update(dict.fromkeys(multivaluedict, HIDDEN))
        return hidden

    # Any: Django's own types; a variable may hold anything.
    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        """A frame's variables; one that holds a secret somewhere is hidden whole."""
        secrets = known_secrets(request)
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {
            name: _shown(self.cleanse_setting(name, value), secrets) for name, value in variables
        }.items()


class ErrorReporter(ExceptionReporter):
    """Looks once more through all that a report has become: messages, addresses, source lines."""

    def get_traceback_html(self) -> SafeString:
        """The technical page."""
        page = super().get_traceback_html()
        return SafeString(without_secrets(page, known_secrets(self.request)))

    def get_traceback_text(self) -> SafeString:
        """The same for who does not take HTML."""
        text = super().get_traceback_text()
        return SafeString(without_secrets(text, known_secrets(self.request)))


def known_secrets(request: HttpRequest | None) -> list[str]:
    """The server's secrets and the visitor's, in each way they may be written, longest first."""
    found = chain(_of_settings(), _of_request(request) if request else ())
    written = {
        form
        for secret in found
        if len(secret) >= _SHORTEST_SECRET
        for plain in (secret, repr(secret)[1:-1], quote(secret, safe=""))
        for form in (plain, escape(plain))
    }
    return sorted(written, key=len, reverse=True)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with stars for each of the secrets, longest first, and for what looks like one."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return hidden(text)


def _of_settings() -> Iterator[str]:
    for name in dir(settings):
        if _SECRET_NAMES.search(name):
            yield from _texts(getattr(settings, name))
    for database in settings.DATABASES.values():
        yield database.get("PASSWORD") or ""


def _of_request(request: HttpRequest) -> Iterator[str]:
    yield from request.COOKIES.values()
    for fields in (request.META, request.GET, request.POST):
        for name, value in fields.items():
            if _SECRET_NAMES.search(name):
                yield from _texts(value)
    # Without the word before it that says of what kind it is.
    yield request.META.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _shown(value: object, secrets: list[str]) -> object:
    try:
        text = repr(value)
    except Exception:
        # The report would show the message of what went wrong, which may hold anything.
        return HIDDEN
    return value if without_secrets(text, secrets) == text else HIDDEN
