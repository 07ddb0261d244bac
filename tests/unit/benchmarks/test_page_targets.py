"""The page's targets, and how what was measured is judged."""

import pytest

from benchmarks.page_targets import Row, as_documents, least, missed, most, table


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        pytest.param(Row("500", "task-ms/s", 100.4, most(100)), True, id="as it is shown"),
        pytest.param(Row("500", "task-ms/s", 100.6, most(100)), False, id="too much"),
        pytest.param(Row("500", "frames", 59.6, least(60)), True, id="as many as are shown"),
        pytest.param(Row("500", "frames", 59.4, least(60)), False, id="too few"),
        pytest.param(Row("500", "heap", 4.26, most(4.2), decimals=1), False, id="by its decimals"),
        pytest.param(Row("500", "elements", 30_000), None, id="no target"),
    ],
)
def test_a_figure_is_judged_as_it_is_shown(row, is_met):
    assert row.is_met is is_met


def test_only_what_has_a_target_can_miss_it():
    slow = Row("500", "privacy, ms", 985, most(50))

    assert missed([slow, Row("500", "privacy, ms", 50, most(50)), Row("500", "elements", 1)]) == [
        slow
    ]


def test_the_table_has_target_figure_and_verdict_beside_each_other():
    rows = [
        Row("500", "privacy, ms", 985.2, most(50), note="slowest 1,200"),
        Row("500", "elements", 30_000),
    ]

    assert table(rows).splitlines()[2:] == [
        "| 500 | privacy, ms | ≤ 50 | 985 (slowest 1,200) | **missed** |",
        "| 500 | elements |  | 30,000 |  |",
    ]


def test_programs_get_the_figure_unrounded():
    (document,) = as_documents([Row("500", "frames", 59.94, least(60))])

    assert (document["value"], document["target"], document["is_met"]) == (59.94, "≥ 60", True)
