"""A tick of the fleet counts however late it comes."""

from decimal import Decimal as D
from types import SimpleNamespace

from benchmarks.fleet import Viewer
from benchmarks.quotes import Quotes


def viewer_of(quotes: Quotes) -> Viewer:
    return Viewer(SimpleNamespace(tickers=["KXA"]), "", [1], quotes)


def tick(bid: str | None) -> dict[str, str | None]:
    return {"type": "position", "ticker": "KXA", "yes_bid": bid}


def test_tick_that_comes_after_the_next_quote_is_timed_from_its_own():
    quotes = Quotes(None, ["KXA"])
    viewer = viewer_of(quotes)
    viewer.ask()
    quotes.quoted_at |= {("KXA", D("0.20")): viewer.asked_at + 1, ("KXA", D("0.30")): 1e12}
    quotes.current["KXA"] = D("0.30")

    viewer._take(tick("0.20"))

    assert len(viewer.milliseconds) == 1
    assert viewer.followed_at is not None


def test_same_tick_counts_once_and_an_unknown_price_never():
    quotes = Quotes(None, ["KXA"])
    viewer = viewer_of(quotes)
    quotes.quoted_at["KXA", D("0.20")] = 1.0

    for bid in ("0.20", "0.20", "0.99", None):
        viewer._take(tick(bid))

    assert len(viewer.milliseconds) == 1
