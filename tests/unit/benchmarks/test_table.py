"""The table of `make bench` says what was missed, to people and to programs alike."""

import json

import pytest

from benchmarks.table import Figure, lines, write

KEPT = Figure("a tick, p50", "ms", 4.25, simplest=1.61, relay=1.5, notified=2.1, aim=4.5)
MISSED = Figure("memory of each", "kB", 91.9, simplest=35.8, aim=40)
WITHOUT_AIM = Figure("the longest", "ms", 120.4)


def test_what_is_more_than_the_aim_is_called_missed():
    _, kept, missed, without = lines([KEPT, MISSED, WITHOUT_AIM])

    assert kept.split() == ["a", "tick,", "p50", "ms", "4.25", "1.61", "1.50", "2.10", "4.50"]
    assert missed.split() == ["memory", "of", "each", "kB", "91.9", "35.8", "40.0", "missed"]
    assert without.split() == ["the", "longest", "ms", "120"]


def test_what_never_came_to_be_is_missed_and_null_in_json(tmp_path):
    never = Figure("all follow", "s", float("inf"), aim=5)

    write(tmp_path / "bench.json", [never], wrong=0)

    text = (tmp_path / "bench.json").read_text()
    [figure] = json.loads(text, parse_constant=pytest.fail)["figures"]
    assert (figure["ours"], figure["is_missed"]) == (None, True)


def test_programs_are_told_the_same(tmp_path):
    write(tmp_path / "there" / "bench.json", [KEPT, MISSED], wrong=2)

    told = json.loads((tmp_path / "there" / "bench.json").read_text())
    assert [figure["ours"] for figure in told["figures"]] == [4.25, 91.9]
    assert [figure["is_missed"] for figure in told["figures"]] == [False, True]
    assert told["clients_wrong"] == 2
