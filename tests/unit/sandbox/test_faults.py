import json

import pytest

from sandbox.faults import Distortion, FailedAnswer, Faults, Half, failure_text


def sent(faults: Faults, *frames: str) -> list[str | Half]:
    distortion = Distortion(faults)
    return [each for frame in frames for each in distortion.of(frame)]


def test_frames_pass_as_they_are_without_faults() -> None:
    assert sent(Faults(), "a", "b") == ["a", "b"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("duplicate", ["one", "one", "two", "three"]),
        ("reorder", ["two", "one", "three"]),
        ("garbage", ["o", "two", "three"]),
        ("half", [Half("one"), "two", "three"]),
    ],
)
def test_fault_spoils_the_next_frame_alone(fault: str, expected: list[str | Half]) -> None:
    faults = Faults()
    faults.frames.append(fault)

    assert sent(faults, "one", "two", "three") == expected


def test_stale_frame_is_one_that_was_sent_before() -> None:
    faults = Faults()
    distortion = Distortion(faults)
    distortion.of("one")
    distortion.of("two")
    faults.frames.append("stale")

    assert distortion.of("three") == ["three", "one"]


def test_no_frame_is_lost_when_several_change_places() -> None:
    faults = Faults()
    faults.frames.extend(["reorder", "reorder", "reorder"])

    assert sent(faults, "one", "two", "three", "four") == ["two", "one", "four", "three"]


def test_failed_answers_are_used_up() -> None:
    faults = Faults(answers=[FailedAnswer(503, times=2), FailedAnswer(500, times=None)])

    statuses = [faults.failure_of("/markets") for _ in range(4)]

    assert [failed and failed.status for failed in statuses] == [503, 503, 500, 500]


def test_failed_answer_is_of_its_own_path() -> None:
    faults = Faults(answers=[FailedAnswer(503, path="/portfolio")])

    assert faults.failure_of("/markets") is None
    assert faults.failure_of("/portfolio/balance") is not None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, {"error": "too many requests"}),
        (
            401,
            {
                "error": {
                    "code": "authentication_error",
                    "message": "authentication_error",
                    "details": "NOT_FOUND",
                }
            },
        ),
        (500, {"error": {"code": "service_unavailable", "message": "service unavailable"}}),
    ],
)
def test_failed_answer_says_what_the_exchange_would(status: int, expected: object) -> None:
    text, content_type = failure_text(FailedAnswer(status))

    assert json.loads(text) == expected
    assert content_type == "application/json"


def test_gateway_answers_in_html_or_not_at_all() -> None:
    page, kind = failure_text(FailedAnswer(502, "html"))
    nothing, _ = failure_text(FailedAnswer(504, "empty"))

    assert page.startswith("<html>")
    assert (kind, nothing) == ("text/html", "")
