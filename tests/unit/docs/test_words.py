"""How the documents are written: nothing twice, nothing left over of a merge."""

import re

import pytest

from tests import reading

DOCUMENTS = [each for each in reading.documents() if each not in reading.GENERATED]


def sentences(document: str) -> list[str]:
    """The sentences of its prose, long enough to be one's own."""
    prose = re.sub(r"^(\||    ).*$", "", reading.text(document), flags=re.MULTILINE)
    joined = re.sub(r"\s+", " ", prose)
    return [each for each in re.split(r"(?<=[.:;]) ", joined) if len(each) > 50]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_line_stands_twice(document):
    lines = [line for line in reading.text(document).splitlines() if len(line) > 50]

    assert sorted(lines) == sorted(set(lines))


def test_no_sentence_stands_in_two_documents():
    where: dict[str, str] = {}
    twice = [
        (sentence, where[sentence], document)
        for document in DOCUMENTS
        for sentence in sentences(document)
        if where.setdefault(sentence, document) != document
    ]

    assert twice == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_numbered_steps_count_on(document):
    previous = 0
    for line in reading.text(document).splitlines():
        step = re.match(r"(\d+)\. ", line)
        if step:
            assert int(step[1]) in (1, previous + 1), line
            previous = int(step[1])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_of_this_machine_is_in_it(document):
    assert not re.search(
        r"(?<![\w.])/(?:home|tmp|root|work)/|<<<<<<<|>>>>>>>", reading.text(document)
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_heading_stands_apart(document):
    text = re.sub(r"^    .*$", "", reading.text(document), flags=re.MULTILINE)

    assert re.findall(r"[^\n]\n(#{1,6} .+)", text) == []
