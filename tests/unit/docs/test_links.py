"""What the documents link to is there."""

import posixpath

import pytest

from tests import reading

LINKS = [
    pytest.param(document, link, id=f"{document}: {link}")
    for document in reading.documents()
    for link in reading.links(document)
    if "://" not in link
]


def test_links_are_found():
    assert len(LINKS) > 20


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_link_leads_somewhere(document, link):
    path, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    target = target if path else document

    assert (reading.ROOT / target).exists()
    if anchor:
        assert anchor in reading.anchors(target)


def test_every_document_is_reached_from_the_readme():
    reached, left = set(), {"README.md"}
    while left:
        document = left.pop()
        reached.add(document)
        for link in reading.links(document):
            path = link.partition("#")[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
            if target in reading.files() and target.endswith(".md") and target not in reached:
                left.add(target)
            if target == "docs/decisions":
                left |= {each for each in reading.documents() if each.startswith(target)} - reached

    assert {each for each in reading.documents() if not each.startswith("tests/")} == reached
