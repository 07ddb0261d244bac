"""
`{% modulepreload 'js/dashboard.js' %}` in a page's head: all modules that one needs.

A browser finds out what a module imports only when it has it, so a chain of imports is a chain of
round trips. Named in the head, all of them come at once.
"""

from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.module_graph import module_graph

register = template.Library()


@register.simple_tag
def modulepreload(entry: str) -> SafeString:
    """
    A link for each module that the entry imports, by whichever way, under its hashed name.

    Raises:
        FileNotFoundError: there is no such module.
    """
    # As written, while somebody writes them.
    names = _graph.__wrapped__(entry) if settings.DEBUG else _graph(entry)
    return format_html_join(
        "\n  ", '<link rel="modulepreload" href="{}">', ((static(name),) for name in names)
    )


@cache
def _graph(entry: str) -> tuple[str, ...]:
    return tuple(module_graph(entry, _read))


def _read(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    return Path(path).read_text(encoding="utf-8")
