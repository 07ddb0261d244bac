"""The cash proof, of one account or of all in one environment added up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import JsonResponse
from ninja import Field, Router, Schema

from accounts import sight
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import proving
from ledger.proof import STEP_KINDS, Proof, StepKind
from ledger.proving import Reach
from ledger.single import OfEnvironment, Scope, scope_of
from positions.api import NOT_SEEN, OneOrAll
from positions.decimal_text import plain
from positions.documents import Document, instant
from positions.pnl import ZERO
from positions.schemas import Figure

router = Router()


class StepOut(Schema):
    """All flows of one kind."""

    kind: StepKind
    count: int
    amount: Figure


class UnexplainedOut(Schema):
    """What no record explains of the change from one balance to the next."""

    account_id: int
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    amount: Figure


class DisagreementOut(Schema):
    """A market in which our records lead to other figures than the exchange shows."""

    account_id: int
    ticker: str
    text: str


class ProofOut(Schema):
    """`opening` + `steps` + `residual` = `closing`, to the last digit; null without a balance."""

    account_id: int | None = Field(description="Null for a sum of accounts.")
    environment: str
    residual: Figure | None
    since: datetime | None = Field(alias="from")
    until: datetime | None = Field(alias="to")
    opening: Figure | None
    closing: Figure | None
    steps: list[StepOut]
    unexplained: list[UnexplainedOut]
    disagreements: list[DisagreementOut]
    complete_from: datetime | None = Field(description="Nothing later is missing.")
    implied_opening: Figure | None = Field(
        description="What was held before all records; null while these may not be all."
    )


@router.get("proof", response={200: ProofOut, NOT_SEEN: ErrorOut})
def proof(
    request: SignedInRequest, account: OneOrAll = None, environment: OfEnvironment = None
) -> JsonResponse:
    """Whether the cash is what all that is known to have happened makes of it."""
    of = scope_of(sight.of(request.auth), account, environment)
    proofs = {each: proving.prove_account(each) for each in of.account_ids}
    reaches = [proving.reach(each) for each in of.account_ids]
    document = proof_document(of, proofs, reaches)
    return JsonResponse({**document, "disagreements": _disagreements(of)})


def proof_document(
    of: Scope, proofs: dict[int, Proof | None], reaches: Sequence[Reach]
) -> Document:
    """The answer but for `disagreements`; what is unknown for one account is so for all."""
    known = [each for each in proofs.values() if each]
    is_known = len(known) == len(proofs)
    figures: dict[str, Any] = dict.fromkeys(
        ("residual", "from", "to", "opening", "closing", "implied_opening")
    )
    if is_known:
        figures |= {
            "residual": _sum(each.residual for each in known),
            "from": instant(min(each.opening.until for each in known)),
            "to": instant(max(each.closing.until for each in known)),
            "opening": _sum(each.opening.amount for each in known),
            "closing": _sum(each.closing.amount for each in known),
        }
        if all(each.is_whole for each in reaches):
            figures["implied_opening"] = _sum(each.implied_opening for each in known)
    starts = [each.complete_from for each in reaches]
    return figures | {
        "account_id": of.account_id,
        "environment": of.environment,
        "steps": _steps(known) if is_known else [],
        "unexplained": [
            {
                "account_id": account_id,
                "from": instant(each.since),
                "to": instant(each.until),
                "amount": plain(each.amount),
            }
            for account_id, found in proofs.items()
            if found
            for each in found.unexplained
        ],
        "complete_from": instant(None if None in starts else max(at for at in starts if at)),
    }


def _disagreements(of: Scope) -> list[Document]:
    return [
        {"account_id": account_id, "ticker": ticker, "text": text}
        for each in of.account_ids
        for account_id, ticker, text in proving.disagreements(each)
    ]


def _steps(proofs: Sequence[Proof]) -> list[Document]:
    by_kind = [{step.kind: step for step in each.steps} for each in proofs]
    return [
        {
            "kind": kind,
            "count": sum(steps[kind].count for steps in by_kind),
            "amount": _sum(steps[kind].amount for steps in by_kind),
        }
        for kind in STEP_KINDS
    ]


def _sum(amounts: Iterable[Decimal]) -> str | None:
    return plain(sum(amounts, ZERO))
