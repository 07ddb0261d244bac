"""
How our holdings and the exchange's differ, as a value.

REST is the authority but lags: by some hundred milliseconds as a rule, by minutes on a bad day. The
exchange says how old its answers about the account are (`as_of`). What always holds:

1. A difference once applied leaves none.
2. The stream's word counts against a read that is older than it by the exchange's own account, and
   against any read for `TRUST_AFTER_SECONDS`; the next read decides. Where no age is told, a row
   that says it is older than the word counts as old for `OLD_ROW_SECONDS`.
3. Where both sides agree nothing is to be done, whatever the stream said in between.
4. A row that can't be read changes nothing: neither that it is held nor how much. Where it can't
   even be told whose row it is, nothing is taken for gone because it is not listed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kalshi.clocks import reached, to_milliseconds
from kalshi.messages import MarketPosition
from kalshi.resources import PositionRow
from positions.decimal_text import to_six_decimals
from positions.pnl import Holding

# REST was recorded to lag by 0.36 s; after this long it has had every chance to catch up, unless
# it says itself that it hasn't.
TRUST_AFTER_SECONDS = 5.0
# The same of a row that says it last changed before the stream's word was sent, in a read that
# tells no age. Not for ever: the word may be what came out of order.
OLD_ROW_SECONDS = 60.0
# The exchange's two clocks, of rows and of frames, agree only roughly.
_CLOCKS_AGREE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """
    The stream's last word on a holding.

    Attributes:
        received_at: seconds of the caller's monotonic clock.
        sent_at: the exchange's time of sending, when it said so.
    """

    holding: Holding
    received_at: float
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What to change so that ours equals the exchange's.

    Attributes:
        changed: holdings that are new or not the same, by ticker.
        gone: tickers no longer held, with the flat holding that the exchange shows, if it does.
        flat: what the exchange says of markets in which nothing is held, here neither: what they
            made is where a position in them begins.
        sold: those of `gone` that the exchange still lists, as flat: closed by a trade, whatever
            became of the market since. Once settled they are listed no more.
        as_of: the exchange's time of what is held, or lately ceased to be, where it said one.
        unconfirmed: tickers on which the stream was believed against the read; read again soon.
        unreadable: tickers held, as far as we know, of which the read told nothing.
    """

    changed: dict[str, Holding] = field(default_factory=dict)
    gone: dict[str, Holding | None] = field(default_factory=dict)
    flat: dict[str, Holding] = field(default_factory=dict)
    sold: frozenset[str] = frozenset()
    as_of: dict[str, datetime] = field(default_factory=dict)
    unconfirmed: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()


def compare(
    ours: Mapping[str, Holding],
    rows: Mapping[str, PositionRow],
    heard: Mapping[str, Heard],
    requested_at: float,
    *,
    read_as_of: datetime | None = None,
    unreadable: Collection[str] = (),
    is_complete: bool = True,
    heard_since: float = float("-inf"),
    now: datetime | None = None,
) -> Difference:
    """
    Compare our holdings with a complete read of the exchange's.

    Args:
        ours: open holdings by ticker.
        rows: every position the exchange lists, flat ones included, by ticker.
        heard: the stream's last word on tickers, where it lately had one.
        requested_at: when the read was sent, seconds of the same clock as `Heard.received_at`.
        read_as_of: how old the read is by the exchange's own account, asked before it.
        unreadable: tickers of rows that are there and can't be understood.
        is_complete: whether the read's other rows are all there is; else there are some that can't
            be understood, names included.
        heard_since: what the stream said before this instant may have changed unheard since.
        now: by the exchange's clock; a row that says it changed later does not say when.
    """
    changed: dict[str, Holding] = {}
    gone: dict[str, Holding | None] = {}
    flat: dict[str, Holding] = {}
    as_of: dict[str, datetime] = {}
    sold, unconfirmed, untold = set(), set(), set()
    for ticker in ours.keys() | rows.keys() | heard.keys():
        row = rows.get(ticker)
        theirs = holding_of(row) if row else None
        changed_at = known_at = _updated_at(row, now)
        word = heard.get(ticker)
        if (
            word
            and _contradicts(word, theirs)
            and _stream_knows_better(word, changed_at, requested_at, read_as_of)
        ):
            theirs, known_at = word.holding, word.sent_at
            unconfirmed.add(ticker)
        elif row is None and (ticker in unreadable or not is_complete):
            # Listed, perhaps, and not to be understood: the stream's word is all there is.
            if word is None or word.received_at <= heard_since:
                untold.add(ticker)
                continue
            theirs, known_at = word.holding, word.sent_at
        if theirs is None or not theirs.quantity:
            if ticker in ours:
                gone[ticker] = theirs
                if known_at:
                    as_of[ticker] = known_at
                if row and not row.quantity:
                    sold.add(ticker)
            elif theirs:
                flat[ticker] = theirs
            continue
        if known_at:
            as_of[ticker] = known_at
        if theirs != ours.get(ticker):
            changed[ticker] = theirs
    return Difference(
        changed,
        gone,
        flat,
        frozenset(sold),
        as_of,
        frozenset(unconfirmed),
        frozenset(untold & ours.keys()),
    )


def holding_of(told: PositionRow | MarketPosition) -> Holding:
    """What the exchange tells of a position, by REST or by the stream, as a holding."""
    return Holding(
        told.quantity,
        to_six_decimals(told.exposure),
        to_six_decimals(told.realized_pnl),
        to_six_decimals(told.fees_paid),
    )


def _contradicts(word: Heard, theirs: Holding | None) -> bool:
    # What is settled is not listed at all, and the stream calls it flat: that is the same.
    return bool(word.holding.quantity) if theirs is None else word.holding != theirs


def _stream_knows_better(
    word: Heard, changed_at: datetime | None, requested_at: float, as_of: datetime | None
) -> bool:
    # A frame is sent after the change it tells of, so a row changed later is the newer one.
    if word.sent_at is not None and changed_at is not None and changed_at > word.sent_at:
        return False
    if is_news_to_rest(word.received_at, word.sent_at, requested_at, as_of):
        return True
    if as_of is not None or word.sent_at is None or changed_at is None:
        return False
    is_old = changed_at < word.sent_at - _CLOCKS_AGREE
    return is_old and word.received_at >= requested_at - OLD_ROW_SECONDS


def is_news_to_rest(
    received_at: float, sent_at: datetime | None, requested_at: float, as_of: datetime | None
) -> bool:
    """Whether a read may not know yet what the stream said: it is too fresh, or REST too old."""
    if received_at >= requested_at - TRUST_AFTER_SECONDS:
        return True
    return sent_at is not None and as_of is not None and as_of < sent_at


def _updated_at(row: PositionRow | None, now: datetime | None) -> datetime | None:
    at = row.last_updated_at if row else None
    if now:
        at = reached(at, now)
    return None if at is None else to_milliseconds(at)
