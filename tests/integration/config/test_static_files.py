"""Static files travel compressed and are kept for ever; a page names all of its modules ahead."""

import gzip
import posixpath
import re
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import engines
from django.test import Client
from django_manifeststaticfiles_enhanced.jslex import find_import_export_strings

pytestmark = pytest.mark.django_db

MODULE = "js/dashboard.js"
PAGES = ["js/dashboard.js", "js/settings.js", "js/sign_in.js"]


def got(address: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """A file as it travels."""
    with closing(Client().get(address, headers=headers)) as response:
        return dict(response.headers), b"".join(response.streaming_content)


def collected(address: str) -> bytes:
    """A file as it was collected."""
    name = address.removeprefix("/static/")
    return Path(staticfiles_storage.path(name)).read_bytes()


def links(entry: str) -> list[str]:
    """The modules that a page with this one names ahead."""
    template = "{% load modulepreload %}{% modulepreload '" + entry + "' %}"
    html = engines["django"].from_string(template).render()
    addresses = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
    assert html.count("<link") == len(addresses)
    return addresses


def loaded(address: str) -> list[str]:
    """
    All that a browser loads before this module runs, by the names in the files as they are served.

    What a module imports while it runs comes later, and is no part of it.
    """
    found, waiting = [], [address]
    while waiting:
        here = waiting.pop()
        text = collected(here).decode()
        imports, _ = find_import_export_strings(text)
        for path, _ in imports:
            if f'import("{path}")' in text:
                continue
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
            if inner not in found:
                found.append(inner)
                waiting.append(inner)
    return found


@pytest.mark.parametrize("name", [MODULE, "css/page.css", "favicon.svg"])
def test_file_travels_compressed_to_whoever_takes_it_so(name):
    address = staticfiles_storage.url(name)

    headers, body = got(address, **{"Accept-Encoding": "gzip, deflate, br"})

    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert int(headers["Content-Length"]) == len(body) < len(collected(address))
    assert gzip.decompress(body) == collected(address)
    assert "immutable" in headers["Cache-Control"]


def test_file_travels_as_it_is_to_whoever_does_not():
    address = staticfiles_storage.url(MODULE)

    headers, body = got(address)

    assert "Content-Encoding" not in headers
    # The cache of a proxy must not hand it to the others.
    assert headers["Vary"] == "Accept-Encoding"
    assert body == collected(address)
    assert "immutable" in headers["Cache-Control"]


@pytest.mark.parametrize("entry", PAGES)
def test_page_names_exactly_the_modules_that_it_loads(entry):
    named = links(entry)

    assert len(named) == len(set(named))
    assert set(named) == set(loaded(staticfiles_storage.url(entry)))


@pytest.mark.parametrize("entry", PAGES)
def test_modules_go_by_their_own_names_while_somebody_writes_them(settings, entry):
    hashed = links(entry)
    settings.DEBUG = True

    plain = links(entry)

    assert plain == [re.sub(r"\.[0-9a-f]{12}\.js$", ".js", each) for each in hashed]
    assert plain != hashed


def test_module_that_is_not_there_is_named_by_nobody():
    with pytest.raises(FileNotFoundError, match="none"):
        links("js/none.js")


def test_page_has_the_links_in_its_head(client):
    head = client.get("/").content.decode().split("</head>")[0]

    assert re.findall(r'"modulepreload" href="([^"]+)"', head) == links("js/sign_in.js")
