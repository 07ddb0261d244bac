"""What lets a browser install the page, and show it while the server can't be reached."""

import hashlib
import json
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts.browser_rules import headers

SHELL_PATH = "/shell"

# The style sheet's background; the one that browsers take while the page's own is not there yet.
_DARK = "#0B0F14"
_OF_THE_PAGE = ("js/", "css/", "uplot/", "favicon.svg")


@csrf_exempt
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """`GET /manifest.webmanifest`: how the page looks among installed programs."""
    return _checked(json.dumps(_manifest()), "application/manifest+json")


@csrf_exempt
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """
    `GET /service-worker.js`: the program that keeps the shell.

    It must be at the root, as it is for the pages below its own address. It changes with
    everything that it keeps, so that browsers, which compare it, notice.
    """
    return _checked(_known(_service_worker), "text/javascript")


@csrf_exempt
@require_safe
def shell(request: HttpRequest) -> HttpResponse:
    """`GET /shell`: the dashboard's markup without anybody; every browser gets the same."""
    return _checked(_known(_shell), "text/html")


def _manifest() -> dict[str, object]:
    return {
        "id": "/",
        "name": "Kalshi Live",
        "short_name": "Kalshi Live",
        "description": "Positions and profit or loss on Kalshi, live.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": _DARK,
        "theme_color": _DARK,
        "icons": [
            _icon("icons/icon-192.png", 192, "any"),
            _icon("icons/icon-512.png", 512, "any"),
            # With room around, for those who cut it to a shape of their own.
            _icon("icons/icon-maskable-512.png", 512, "maskable"),
        ],
    }


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(name),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


def _service_worker() -> str:
    page = _shell()
    # Names without a hash say nothing of what is in the file: those that are kept would grow old.
    files = [] if settings.DEBUG else sorted(static(name) for name in _static_names())
    kept = json.dumps([files, page, headers(SHELL_PATH, 200)], sort_keys=True)
    version = hashlib.sha256(kept.encode()).hexdigest()[:12]
    shell = json.dumps({"version": version, "page": SHELL_PATH, "files": files})
    keeper = static("js/offline/shell_keeper.js")
    return f'import {{ keepShell }} from "{keeper}";\nkeepShell(self, {shell});\n'


def _static_names() -> list[str]:
    """Our own static files; the admin has others."""
    found = {
        f"{storage.prefix}/{path}" if getattr(storage, "prefix", None) else path
        for finder in get_finders()
        for path, storage in finder.list([])
    }
    return [name for name in found if name.startswith(_OF_THE_PAGE)]


def _shell() -> str:
    # Without a request no context processor knows one either: nothing of a visitor can get in.
    return render_to_string("dashboard.html", {"mark_price": settings.MARK_PRICE})


def _known(make: Callable[[], str]) -> str:
    # As written, while somebody writes it.
    return make() if settings.DEBUG else _once(make)


@cache
def _once(make: Callable[[], str]) -> str:
    return make()


def _checked(text: str, content_type: str) -> HttpResponse:
    """An answer that may be kept, but is not used without asking whether it still holds."""
    response = HttpResponse(text, content_type=f"{content_type}; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
