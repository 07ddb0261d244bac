"""The soak's faults are undone, and say what was wrong in true words."""

from decimal import Decimal

import pytest

from benchmarks.faults import _must_be_away, rejected_once
from benchmarks.hindrances import Visitor
from benchmarks.scene import NotMet, Scene
from sandbox import catalogue, keys
from sandbox.server import Sandbox, utc_now

TICKER = "KXSOLD-1"
ROW = (Decimal(1), Decimal(1), "0.5", None)


class Told(Scene):
    """A scene whose API says what it is given, and which waits for nothing."""

    def __init__(self, told=None, quantity: Decimal = Decimal(0), *, stuck_at: str = "") -> None:
        exchange, account = catalogue.world(positions=3, seed=1, now=utc_now())
        super().__init__(Sandbox(exchange, account, keys.new_ed25519()), None, None)
        self._told, self._quantity, self._stuck_at = told, quantity, stuck_at
        self.waited_for: list[str] = []

    async def told(self):
        return self._told

    def quantity(self, ticker: str) -> Decimal:
        return self._quantity

    async def until(self, condition, seconds: float, what: str) -> float:
        self.waited_for.append(what)
        if what == self._stuck_at:
            raise NotMet(what)
        return 0.0


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        (Told(None), "no answer about KXSOLD-1"),
        (Told({TICKER: ROW}), "KXSOLD-1 was sold and came back"),
    ],
)
async def test_answer_that_does_not_come_is_no_position_that_came_back(scene, said):
    with pytest.raises(NotMet, match=said):
        await _must_be_away(scene, TICKER)


async def test_position_that_is_away_or_bought_again_is_right():
    await _must_be_away(Told({}), TICKER)
    await _must_be_away(Told({TICKER: ROW}, Decimal(1)), TICKER)


async def test_rejection_that_nobody_met_does_not_lie_in_wait_for_the_next_fault():
    scene = Told(stuck_at="the 401 is met")

    with pytest.raises(NotMet):
        await rejected_once(scene)

    assert scene.sandbox.faults.answers == []


async def test_what_a_rejection_made_it_say_is_looked_at_once_all_is_right():
    scene = Told()
    scene.said = {"reconnecting connection_lost": None, "unauthorized key_refused": None}

    with pytest.raises(NotMet, match="it said unauthorized key_refused"):
        await rejected_once(scene)

    assert scene.waited_for[-1] == "it is live and right again"


async def test_visitor_who_is_never_answered_gives_up(monkeypatch):
    monkeypatch.setattr("benchmarks.hindrances.RECOVERY_SECONDS", 0.05)
    visitor = Visitor(1, "")

    with pytest.raises(RuntimeError, match="no good answer within"):
        await visitor.recover()
    await visitor.close()
