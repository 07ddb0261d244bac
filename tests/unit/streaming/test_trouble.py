"""Each warning and error of the log is counted, by kinds that have an end."""

import ast
import logging
from pathlib import Path

import pytest

from streaming import trouble
from streaming.trouble import OTHERS, Counted, Kind

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def logger(monkeypatch) -> logging.Logger:
    """One of ours, counted from 0, that writes nowhere."""
    monkeypatch.setattr(trouble, "counted", trouble.Counter())
    logger = logging.getLogger("streaming.tests")
    handler = Counted(logging.WARNING)
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "propagate", False)
    return logger


def test_kind_is_what_a_line_of_ours_tells_and_the_class_of_the_error(logger):
    logger.info("all is well")
    logger.warning("write failed", extra={"error": "OperationalError", "account_id": 7})
    logger.warning("write failed", extra={"error": "OperationalError", "account_id": 8})
    logger.warning("connection failed", extra={"error": "The exchange is away."})
    try:
        raise ValueError("of account 7")
    except ValueError:
        logger.exception("account failed")

    assert trouble.counted == {
        Kind("WARNING", "streaming.tests", "write failed", "OperationalError"): 2,
        Kind("WARNING", "streaming.tests", "connection failed", ""): 1,
        Kind("ERROR", "streaming.tests", "account failed", "ValueError"): 1,
    }


def test_what_others_say_is_no_kind(logger, monkeypatch):
    monkeypatch.setattr(logger, "name", "asyncio")

    logger.error("task of /a/path?token=1 failed")

    assert trouble.counted == {Kind("ERROR", "asyncio", "", ""): 1}


def test_kinds_have_an_end(logger, monkeypatch):
    monkeypatch.setattr(trouble, "MOST_KINDS", 3)

    for number in range(10):
        logger.warning(f"message {number}")

    assert len(trouble.counted) == 4
    assert trouble.counted[OTHERS] == 7


def logged_messages() -> list[tuple[str, ast.expr]]:
    """What each place of ours that logs gives as its message."""
    found = []
    for package in sorted(trouble.OURS):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "logger"
                    and node.func.attr in ("warning", "error", "exception", "critical")
                ):
                    found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node.args[0]))
    return found


def test_messages_of_ours_are_constants():
    """What varies stands in fields, so that a message is a kind."""
    found = logged_messages()

    assert len(found) > 30
    assert [where for where, message in found if isinstance(message, ast.JoinedStr)] == []
