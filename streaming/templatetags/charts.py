"""What the templates say of the charts' library."""

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage

register = template.Library()


@register.simple_tag
def static_if_there(path: str) -> str:
    """The address of a static file; empty if it was not there when they were collected."""
    try:
        return staticfiles_storage.url(path)
    except ValueError:
        return ""
