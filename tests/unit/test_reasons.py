"""Every reason that the server can give has its sentence on the page, and no other has."""

import re
from pathlib import Path
from typing import get_args

from positions.connection import Reason

SENTENCES = Path(__file__).parents[2] / "static" / "js" / "reasons.js"


def test_each_reason_has_a_sentence():
    told = dict(re.findall(r'^  (\w+): "(.+)",$', SENTENCES.read_text(), re.MULTILINE))

    assert told.keys() == set(get_args(Reason))
    assert all(sentence.endswith(".") for sentence in told.values())
    assert len(set(told.values())) == len(told)
