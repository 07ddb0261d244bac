from datetime import UTC, datetime

import pytest

from kalshi.errors import DecodeError
from kalshi.milestones import Milestone


def test_milestone_is_decoded(answers):
    assert Milestone.decode(answers["milestones"]["milestones"][0]) == Milestone(
        id="m-1",
        start_at=datetime(2026, 6, 11, 15, tzinfo=UTC),
        event_tickers=("KXWTACHALLENGERMATCH-26JUN11JIMLEP", "KXWTACHALLENGER-26"),
        primary_event_tickers=("KXWTACHALLENGERMATCH-26JUN11JIMLEP",),
    )


def test_milestone_without_a_start_is_refused(answers):
    record = answers["milestones"]["milestones"][0] | {"start_date": None}

    with pytest.raises(DecodeError, match="start_date is missing"):
        Milestone.decode(record)
