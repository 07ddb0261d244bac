from pathlib import Path

import pytest

from config.chart_files import FILES, ChartFilesFinder
from streaming.templatetags.charts import static_if_there


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """What npm installs of the library: more than a page needs."""
    for name in (*FILES, "uPlot.cjs.js", "uPlot.d.ts"):
        (tmp_path / name).touch()
    return tmp_path


def test_only_what_a_page_loads_is_collected(installed):
    found = {
        f"{storage.prefix}/{name}": storage.path(name)
        for name, storage in ChartFilesFinder(installed).list([])
    }

    assert found == {
        "uplot/uPlot.esm.js": str(installed / "uPlot.esm.js"),
        "uplot/uPlot.min.css": str(installed / "uPlot.min.css"),
    }


def test_a_path_is_found_where_npm_has_put_it(installed):
    finder = ChartFilesFinder(installed)

    assert finder.find("uplot/uPlot.esm.js") == str(installed / "uPlot.esm.js")
    assert finder.find("uplot/uPlot.cjs.js") == []
    assert finder.find("uplot/uPlot.min.css", find_all=True) == [str(installed / "uPlot.min.css")]


def test_without_the_library_there_is_nothing_and_no_complaint(tmp_path):
    finder = ChartFilesFinder(tmp_path / "never")

    assert list(finder.list([])) == []
    assert finder.find("uplot/uPlot.esm.js") == []
    assert finder.check() == []


def test_a_page_is_given_no_address_of_what_was_not_collected():
    assert static_if_there("uplot/never.js") == ""
