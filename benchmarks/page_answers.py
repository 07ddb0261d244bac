"""What the stand-in server answers to calls of the API: plausible, and of the contract's shapes."""

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts.schemas import AccountOut
from benchmarks.page_book import ACCOUNT, Held
from benchmarks.page_play import CASH, Play
from positions.decimal_text import plain
from positions.documents import connection_document, portfolio_document

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_POINTS = 400
ACCOUNT_OUT = AccountOut(
    id=ACCOUNT,
    name="Sandbox",
    label="Sandbox",
    environment="sandbox",
    subaccount=0,
    is_default=True,
    same_as=None,
    created_at=_SINCE,
)

Document = dict[str, object]


def answer_to(play: Play, method: str, call: str) -> tuple[int, Document]:
    """
    Status and document.

    Args:
        call: the path below the account's address, without its question.
    """
    if method != "GET":
        return (202, {}) if call == "refresh" else _refusal(403, "read_only")
    match call.split("/"):
        case ["accounts"]:
            return 200, {"accounts": [_account(play)], "sums": []}
        case ["session"]:
            return 200, _session()
        case ["portfolio"]:
            return 200, dict(portfolio_document(ACCOUNT, play.portfolio))
        case ["positions"]:
            held = [json.loads(each.document) for each in play.book.held.values()]
            return 200, {"positions": held, "version": play.version, "as_of": _now()}
        case ["positions", ticker, *rest] if ticker in play.book.held:
            return _of_position(play.book.held[ticker], rest)
        case ["equity"]:
            return 200, {"account_id": ACCOUNT, "points": _points(play), "gaps": []}
        case ["proof"]:
            return 200, _proof(play)
        case ["fills" | "settlements" | "transfers" | "trades" | "activity" as name]:
            return 200, {name: [], "next": None}
        case _:
            return _refusal(404, "not_found")


def _of_position(held: Held, rest: list[str]) -> tuple[int, Document]:
    match rest:
        case []:
            return 200, json.loads(held.document) | {
                "closed_reason": None,
                "fills": [],
                "note": None,
                "settlement_matrix": _matrix(held),
                "explanation": [],
            }
        case ["candles"]:
            return 200, _of(held) | {"minutes": 60, "candles": [], "unreadable_count": 0}
        case ["orderbook"]:
            return 200, _orderbook(held)
        case _:
            return _refusal(404, "not_found")


def _refusal(status: int, code: str) -> tuple[int, Document]:
    return status, {"error": {"code": code, "message": "The benchmark's server has none."}}


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _account(play: Play) -> Document:
    return ACCOUNT_OUT.model_dump(mode="json") | {
        "portfolio": portfolio_document(ACCOUNT, play.portfolio),
        "connection": connection_document(play.connection),
    }


def _session() -> Document:
    return {
        "user_id": 1,
        "username": None,
        "of": "key",
        "expires_at": (datetime.now(UTC) + timedelta(hours=24)).isoformat(),
        "is_staff": False,
        "has_password": True,
        "passkey_count": 0,
        "accounts": [ACCOUNT_OUT.model_dump(mode="json")],
        "credentials": [],
    }


def _points(play: Play) -> list[Document]:
    value = play.portfolio.positions_value or Decimal(0)
    began, step = datetime.now(UTC) - timedelta(days=1), timedelta(days=1) / _POINTS
    points: list[Document] = []
    for number in range(_POINTS):
        swing = Decimal(round(math.sin(number / 25) * 100)) / 10
        points.append(
            {
                "at": (began + step * number).isoformat(),
                "total_value": plain(CASH + value + swing),
                "cash": plain(CASH),
                "positions_value": plain(value + swing),
                "collateral_returned": "0",
                "net_transfers": "0",
            }
        )
    return points


def _proof(play: Play) -> Document:
    return {
        "account_id": ACCOUNT,
        "environment": ACCOUNT_OUT.environment,
        "residual": "0",
        "from": _SINCE.isoformat(),
        "to": _now(),
        "opening": plain(CASH),
        "closing": plain(CASH),
        "steps": [],
        "unexplained": [],
        "disagreements": [],
        "complete_from": _SINCE.isoformat(),
        "implied_opening": "0",
    }


def _of(held: Held) -> Document:
    return {"account_id": ACCOUNT, "ticker": held.ticker}


def _matrix(held: Held) -> Document:
    holding = held.holding
    won = holding.realized_pnl + holding.count - holding.exposure - holding.fees_paid
    outcomes = [
        {"outcome": outcome, "payout": plain(payout), "net_pnl": plain(net)}
        for outcome, payout, net in (
            (held.ticker, holding.count, won),
            ("none_of_these", Decimal(0), won - holding.count),
        )
    ]
    if_yes, if_no = outcomes if holding.quantity > 0 else reversed(outcomes)
    event: Document = {
        "is_exclusive": None,
        "outcomes": [],
        "best": outcomes[0],
        "worst": outcomes[1],
    }
    return {"if_yes": if_yes, "if_no": if_no, "event": event}


def _orderbook(held: Held) -> Document:
    mark = held.state.figures.mark
    price = mark.value if mark else Decimal("0.5")
    count = held.holding.count
    return _of(held) | {
        "as_of": _now(),
        "yes_bids": [{"price": plain(price), "count": plain(count * 2)}],
        "no_bids": [],
        "sell_now": {
            "count": plain(count),
            "average_price": plain(price),
            "worst_price": plain(price),
            "fee": "0.02",
            "fee_multiplier": "1",
            "cash_flow": plain(count * price - Decimal("0.02")),
            "left": "0",
        },
    }
