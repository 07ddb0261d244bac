"""What an examination finds: one line each, and what to do where something is not well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    How one thing stands.

    Attributes:
        verdict: "unknown" where it can't be told now.
        subject: what it is about.
        what: a sentence; never with a secret.
        remedy: what to do, in a sentence; None where there is nothing to do.
    """

    verdict: Verdict
    subject: str
    what: str
    remedy: str | None = None

    @property
    def text(self) -> str:
        """It as a line, with the remedy on one of its own."""
        line = _printable(f"{self.verdict:<8}{self.subject}: {self.what}")
        return f"{line}\n{'':8}→ {_printable(self.remedy)}" if self.remedy else line


def ok(subject: str, what: str) -> Finding:
    return Finding("ok", subject, what)


def wrong(subject: str, what: str, remedy: str) -> Finding:
    return Finding("wrong", subject, what, remedy)


def unknown(subject: str, what: str, remedy: str | None = None) -> Finding:
    return Finding("unknown", subject, what, remedy)


def summary(findings: Sequence[Finding]) -> str:
    """All of them in a sentence."""
    count = {verdict: sum(each.verdict == verdict for each in findings) for verdict in _TOLD}
    told = [f"{count[verdict]} {verdict}" for verdict in _TOLD if count[verdict]]
    return f"Not all is well: {', '.join(told)}." if told else "All is well."


_TOLD: tuple[Verdict, ...] = ("wrong", "unknown")


def _printable(text: str) -> str:
    # Some of it is another program's, and a terminal obeys some characters.
    words = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words)
