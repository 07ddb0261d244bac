"""What the stand-in server of the page's benchmark says is what the product would say."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from accounts.schemas import SessionOut
from benchmarks.page_answers import answer_to
from benchmarks.page_book import WITHOUT_PRICE, book
from benchmarks.page_play import Play
from ledger.api.equity import EquityOut
from ledger.api.proof import ProofOut
from ledger.market_schemas import CandlesOut, OrderBookOut
from ledger.position_schemas import OnePositionOut
from ledger.schemas import ActivitiesOut, FillsOut, SettlementsOut, TransfersOut
from ledger.trade_schemas import TradesOut
from positions.schemas import AccountsOut, PortfolioOut, PositionOut, PositionsOut

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def play() -> Play:
    return Play(book(2 * WITHOUT_PRICE, seed=1, now=NOW), rate=100, portfolios=5, seed=1)


@pytest.mark.parametrize(
    ("call", "schema"),
    [
        ("accounts", AccountsOut),
        ("session", SessionOut),
        ("portfolio", PortfolioOut),
        ("positions", PositionsOut),
        ("positions/{}", OnePositionOut),
        ("positions/{}/candles", CandlesOut),
        ("positions/{}/orderbook", OrderBookOut),
        ("equity", EquityOut),
        ("proof", ProofOut),
        ("fills", FillsOut),
        ("settlements", SettlementsOut),
        ("transfers", TransfersOut),
        ("trades", TradesOut),
        ("activity", ActivitiesOut),
    ],
)
def test_answers_have_the_shapes_of_the_api(play, call, schema):
    ticker = next(iter(play.book.held))

    status, document = answer_to(play, "GET", call.format(ticker))

    assert status == 200
    schema.model_validate(document)


def test_what_it_does_not_know_is_refused_as_by_the_api(play):
    status, document = answer_to(play, "GET", "positions/KXNONE")

    assert status == 404
    assert document["error"]["code"] == "not_found"


def test_positions_are_whole_documents_at_every_price(play):
    for held in play.book.held.values():
        for state in held.states:
            PositionOut.model_validate(json.loads(state.document("2026-12-01T12:00:00Z", 7)))


def test_a_book_is_the_same_for_the_same_seed():
    first, second, other = (
        [each.document for each in book(20, seed, NOW).held.values()] for seed in (1, 1, 2)
    )

    assert first == second
    assert first != other


def test_each_tick_changes_the_mark_of_what_has_a_price(play):
    marks = [[state.figures.mark for state in held.states] for held in play.book.held.values()]
    priced = [each for each in marks if each[0]]

    assert len(priced) == len(marks) - 2
    assert all(a != b for each in priced for a, b in pairwise([*each, each[0]]))


def test_no_two_positions_have_the_same_title(play):
    titles = {json.loads(held.document)["title"] for held in play.book.held.values()}

    assert len(titles) == len(play.book.held)
