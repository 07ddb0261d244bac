"""Every figure of `docs/performance.md` was measured, or is said not to have been."""

import re

import pytest

from tests import reading

DOCUMENT = "docs/performance.md"
CLAIMS = [row for row in reading.rows(reading.text(DOCUMENT)) if len(row) == 4]
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0][:50])
def test_figure_stands_where_it_was_measured_or_is_called_untested(claim):
    _, _, figure, by = claim

    if figure == "**untested**":
        assert by == ""
    else:
        path, anchor = re.search(r"\]\(([\w.]+)#([\w-]+)\)", by).groups()
        measured = reading.section(f"docs/{path}", anchor).split("\n## ")[0]
        assert NUMBER.findall(figure)
        assert set(NUMBER.findall(figure)) <= set(NUMBER.findall(measured))


def test_claims_are_found():
    assert len(CLAIMS) > 20


def test_every_benchmark_is_told():
    targets = set(re.findall(r"^(bench[a-z-]*|soak):", reading.text("Makefile"), re.MULTILINE))

    assert targets == set(re.findall(r"^\| `make ([a-z-]+)`", reading.text(DOCUMENT), re.MULTILINE))
