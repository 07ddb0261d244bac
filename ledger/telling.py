"""What happened, in plain English: a sentence or two for people who read down a list."""

from collections.abc import Sequence
from decimal import Decimal

from ledger.records import Fill, Settlement, TransferKind
from positions.connection import Reason, Status
from positions.decimal_text import plain
from positions.noticed import Differing, Figure
from positions.pnl import PAYOUT, ZERO, Side

_TRANSFERS: dict[TransferKind, str] = {
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "subaccount": "Transfer between subaccounts",
    "exchange": "Transfer within the exchange",
    "named": "Named by you",
}
_STATUSES: dict[Status, str] = {
    "connecting": "Connecting to the exchange",
    "live": "Live: figures follow the exchange at once",
    "reconnecting": "The connection was lost, and is being restored",
    "disconnected": "Disconnected from the exchange",
    "unauthorized": "The exchange does not let the stored key in",
    "maintenance": "The exchange is in maintenance",
}
_REASONS: dict[Reason, str] = {
    "connection_lost": "the connection ended",
    "unreachable": "the exchange could not be reached",
    "exchange_failing": "the exchange answered with errors of its own",
    "not_understood": "the exchange's answers could not be understood",
    "rate_limited": "the exchange was asked too often",
    "clock_skew": "the server's clock differs from the exchange's",
    "maintenance": "the exchange is in maintenance",
    "key_refused": "the key was refused",
    "key_scope": "the key may not read the portfolio",
    "no_credential": "no key is stored",
    "credential_unreadable": "the stored key could not be decrypted",
    "environment_missing": "the server does not know the exchange's addresses",
    "set_aside": "something went wrong on our side",
    "set_aside_by_staff": "whoever runs the server has set the account aside",
    "write_stuck": "figures could not be written",
    "worker_down": "the server's worker was not running",
}
_MARKETS = {
    "initialized": "Not open for trading yet",
    "active": "Open for trading",
    "inactive": "Trading paused",
    "closed": "Closed for trading",
    "determined": "Determined",
    "disputed": "Result disputed",
    "amended": "Result amended",
    "finalized": "Finalized",
}
_FIGURES: dict[Figure, str] = {
    "quantity": "contracts",
    "exposure": "cost",
    "realized_pnl": "realized P&L",
    "fees_paid": "fees",
}
# Of what a reconciliation found; after a long break it may be every position.
_MOST_TOLD = 5


def fill_text(fill: Fill, closed_count: Decimal | None, realized_pnl: Decimal | None) -> str:
    """
    An execution as a trader would say it: who buys the other side sells theirs.

    Args:
        closed_count, realized_pnl: what it closed and that brought, before fees; None if unknown.
    """
    closed = closed_count or ZERO
    done = []
    if closed:
        gain = "" if realized_pnl is None else f", {gain_text(realized_pnl)} before fees"
        price = PAYOUT - fill.price
        done.append(f"Sold {plain(closed)} {_other(fill.side)} at {price_text(price)}{gain}")
    if fill.count > closed:
        verb = "bought" if done else "Bought"
        opened = plain(fill.count - closed)
        done.append(f"{verb} {opened} {fill.side.upper()} at {price_text(fill.price)}")
    return f"{'; '.join(done)}. {fill.ticker}, fee {money_text(fill.fee)}."


def settlement_text(settlement: Settlement) -> str:
    """A payout, or the correction of one."""
    outcome = settlement.result.upper() or "unknown"
    if settlement.result not in ("yes", "no") and settlement.value is not None:
        outcome = f"{price_text(settlement.value)} for YES"
    if settlement.paid_before is not None:
        moved = settlement.cash_flow
        what = "taken back" if moved < 0 else "paid in addition"
        return f"Corrected to {outcome}: {money_text(abs(moved))} {what}. {settlement.ticker}."
    side = "NO" if settlement.quantity < 0 else "YES"
    return (
        f"Settled as {outcome}: {plain(abs(settlement.quantity))} {side} paid "
        f"{money_text(settlement.revenue)}, {gain_text(settlement.realized_pnl)}. "
        f"{settlement.ticker}."
    )


def transfer_text(
    kind: TransferKind, amount: Decimal, method: str, status: str, cash_flow: Decimal
) -> str:
    """Money that came or went beside the markets, at one stage of its way."""
    if kind == "named":
        return f"{_TRANSFERS[kind]}: {money_text(amount)}, {method}."
    how = f" ({method})" if method else ""
    moved = f", cash {change_text(cash_flow)}" if cash_flow else ""
    return f"{_TRANSFERS[kind]} of {money_text(amount)}{how}: {status}{moved}."


def connection_text(status: Status, reason: Reason | None) -> str:
    """The account's connection became another."""
    why = f": {_REASONS[reason]}" if reason and reason != status else ""
    return f"{_STATUSES[status]}{why}."


def market_text(status: str, settlement_value: Decimal | None, ticker: str) -> str:
    """A market that is held stands otherwise than before."""
    value = ""
    if settlement_value is not None:
        words = {PAYOUT: "YES", ZERO: "NO"}
        value = f" as {words.get(settlement_value) or f'{price_text(settlement_value)} for YES'}"
    # One that the exchange has thought of since is told in its own word.
    return f"{_MARKETS.get(status, status.capitalize())}{value}. {ticker}."


def reconciliation_text(differing: Sequence[Differing], *, is_first: bool) -> str:
    """What a read of the exchange showed to be otherwise than here."""
    what = "Read again after a break" if is_first else "Set right by the exchange's own list"
    if not differing:
        return f"{what}: nothing was different."
    told = [f"{each.ticker}: {_differing_text(each)}" for each in differing[:_MOST_TOLD]]
    rest = len(differing) - len(told)
    return f"{what}: {'; '.join([*told, f'{rest} more'] if rest else told)}."


def _differing_text(each: Differing) -> str:
    if each.figure != "quantity":
        amounts = f"{money_text(each.theirs)} instead of {money_text(each.ours)}"
        return f"{_FIGURES[each.figure]} {amounts}"
    if each.ours * each.theirs > 0:
        return f"{plain(abs(each.theirs))} instead of {plain(abs(each.ours))} contracts"
    return f"{_held_text(each.theirs)} instead of {_held_text(each.ours)}"


def _held_text(quantity: Decimal) -> str:
    if not quantity:
        return "nothing"
    return f"{plain(abs(quantity))} {'NO' if quantity < 0 else 'YES'}"


def price_text(price: Decimal) -> str:
    """A price in cents, `57.25¢`."""
    return f"{plain(price * 100)}¢"


def money_text(amount: Decimal) -> str:
    """Dollars with all their decimals, two at least: `-$1,234.50`."""
    whole, _, decimals = (plain(abs(amount)) or "0").partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}${int(whole):,}.{decimals.ljust(2, '0')}"


def change_text(amount: Decimal) -> str:
    """A change with its sign, `+$5.00`."""
    return f"+{money_text(amount)}" if amount > 0 else money_text(amount)


def gain_text(amount: Decimal) -> str:
    """What something brought, as a gain or a loss."""
    if not amount:
        return "neither gain nor loss"
    return f"a {'gain' if amount > 0 else 'loss'} of {money_text(abs(amount))}"


def _other(side: Side) -> str:
    return "NO" if side == "yes" else "YES"
