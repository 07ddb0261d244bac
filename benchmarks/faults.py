"""
The soak's faults: each is made and undone while prices move.

A fault's docstring says how it is made. It raises NotMet when something is not as it must be while
it lasts.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic

from benchmarks.processes import end
from benchmarks.product import living_workers, session
from benchmarks.scene import NotMet, Scene, locked_account
from sandbox.commands import perform

OUTAGE_SECONDS = 2
# Longer than a wait to reconnect and a wait for an answer.
MUTE_SECONDS = 14
# REST is this late, and is asked for a little longer.
LAG_SECONDS = 8
LAG_WATCHED_SECONDS = 12

Make = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """How it is made, and within how many seconds of its end all must be right."""

    make: Make
    right_within: float = 10

    @property
    def name(self) -> str:
        return self.make.__name__.replace("_", " ")

    @property
    def how(self) -> str:
        """The first line of its docstring."""
        return (self.make.__doc__ or "").strip().splitlines()[0].rstrip(".")


# The connection to the exchange


async def socket_cut(scene: Scene) -> None:
    """The WebSocket is cut without a close frame."""
    scene.sandbox.drop_connections()
    await scene.until_not_live(5)


async def exchange_unavailable(scene: Scene) -> None:
    """The exchange answers 503 for 2 s."""
    scene.sandbox.is_refusing = True
    scene.sandbox.drop_connections()
    await asyncio.sleep(OUTAGE_SECONDS)
    scene.sandbox.is_refusing = False


async def exchange_refuses_connections(scene: Scene) -> None:
    """Nothing listens at the exchange's address for 2 s."""
    await scene.sandbox.stop_listening()
    try:
        scene.sandbox.drop_connections()
        await asyncio.sleep(OUTAGE_SECONDS)
    finally:
        await scene.sandbox.resume_listening()


async def exchange_frozen(scene: Scene) -> None:
    """The exchange sends and reads nothing until that is noticed."""
    scene.sandbox.freeze()
    try:
        await scene.until_not_live(35)
    finally:
        scene.sandbox.thaw()


async def commands_unanswered(scene: Scene) -> None:
    """A new WebSocket's commands are not heard for 14 s; it is given up after 10."""
    scene.sandbox.faults.muted.add("")
    try:
        scene.sandbox.drop_connections()
        await asyncio.sleep(MUTE_SECONDS)
        if scene.now == "live":
            raise NotMet("it says live, and nothing is subscribed")
    finally:
        scene.sandbox.faults.muted.clear()


async def maintenance(scene: Scene) -> None:
    """The exchange is in maintenance for 4 s."""
    scene.sandbox.begin_maintenance(timedelta(seconds=4))
    try:
        await scene.until_said("maintenance", 4)
        await asyncio.sleep(1)
    finally:
        scene.sandbox.reopen()


async def clock_skewed(scene: Scene) -> None:
    """The exchange's clock is two minutes ahead until that is noticed."""
    scene.sandbox.faults.clock_skew = timedelta(minutes=2)
    try:
        scene.sandbox.drop_connections()
        await scene.until_said("clock_skew", 10)
    finally:
        scene.sandbox.faults.clock_skew = timedelta()


# Answers


async def rejected_by_a_content_network(scene: Scene) -> None:
    """Every answer is 403 in HTML for 3 s, the handshake's too."""
    await perform(
        scene.sandbox,
        {"do": "fail_answers", "status": 403, "body": "html", "times": 0},
    )
    try:
        scene.sandbox.drop_connections()
        await asyncio.sleep(3)
    finally:
        scene.sandbox.faults.answers.clear()
    _must_not_have_said(scene, "key_refused", "key_scope")


async def rejected_once(scene: Scene) -> None:
    """The exchange's own 401, once, to a good key."""
    await perform(scene.sandbox, {"do": "fail_answers", "status": 401, "path": "/portfolio"})
    try:
        scene.sandbox.drop_connections()
        await scene.until_not_live(5)
        await scene.until(lambda: not scene.sandbox.faults.answers, 10, "the 401 is met")
    finally:
        scene.sandbox.faults.answers.clear()
    # What is made of the 401 is said only after it was met.
    with scene.still():
        await scene.until(scene.is_right, 10, "it is live and right again")
    _must_not_have_said(scene, "key_refused")


async def key_revoked(scene: Scene) -> None:
    """The key is revoked; once that is said it is valid again, and the trader asks for a try."""
    scene.sandbox.revoke_key(scene.sandbox.key_id)
    try:
        await scene.until_said("key_refused", 10)
    finally:
        scene.sandbox.add_key(scene.sandbox.credentials, name="demonstration")
    await scene.refresh()


async def position_spoilt(scene: Scene) -> None:
    """One position's quantity is nonsense in REST; the others must be right meanwhile."""
    await _spoil(scene, "/portfolio/positions", "position_fp")


async def market_spoilt(scene: Scene) -> None:
    """One market's row has no ticker in REST; the others must be right meanwhile."""
    await _spoil(scene, "/markets", "ticker")


async def _spoil(scene: Scene, path: str, field: str) -> None:
    ticker = scene.a_holding()
    await perform(
        scene.sandbox,
        {"do": "spoil", "path": path, "field": field, "value": "", "row": ticker},
    )
    try:
        await scene.refresh()
        await scene.until(scene.has_unreadable, 10, "the row is told to be unreadable")
        with scene.still():
            await scene.until(
                lambda: scene.others_are_right(ticker), 10, f"all but {ticker} are right"
            )
    finally:
        scene.sandbox.faults.spoils.clear()
    await scene.refresh()


async def rest_lags(scene: Scene) -> None:
    """REST tells of 8 s ago, and is asked again and again; a sold position must stay away."""
    await _sell_in_a_lag(scene, lambda: None)


async def rest_lags_after_a_cut(scene: Scene) -> None:
    """REST tells of 8 s ago, and the socket is cut; a sold position must stay away."""
    await _sell_in_a_lag(scene, scene.sandbox.drop_connections)


async def rest_lags_over_a_restart(scene: Scene) -> None:
    """REST tells of 8 s ago, and the worker is killed and started; a sold position stays away."""

    def restart() -> None:
        scene.product.worker.kill()
        scene.product.worker.wait()
        scene.product.start_worker()

    await _sell_in_a_lag(scene, restart)


async def _sell_in_a_lag(scene: Scene, once_sold: Callable[[], None]) -> None:
    sandbox, lag = scene.sandbox, timedelta(seconds=LAG_SECONDS)
    sandbox.lag(account=lag, markets=lag)
    try:
        ticker = scene.a_holding()
        quantity = scene.quantity(ticker)
        sandbox.fill(ticker, "no" if quantity > 0 else "yes", abs(quantity), Decimal("0.50"))
        await scene.until(lambda: _is_away(scene, ticker), 2, f"{ticker} is gone")
        once_sold()
        ends_at = monotonic() + LAG_WATCHED_SECONDS
        number = 0
        while monotonic() < ends_at and not scene.quantity(ticker):
            if number % 20 == 0:
                await scene.refresh()
            number += 1
            await _must_be_away(scene, ticker)
            await asyncio.sleep(0.05)
    finally:
        sandbox.lag()


async def _is_away(scene: Scene, ticker: str) -> bool:
    told = await scene.told()
    return told is not None and ticker not in told


async def _must_be_away(scene: Scene, ticker: str) -> None:
    """NotMet if a position that was sold is told, or nothing is."""
    told = await scene.told()
    if told is None:
        raise NotMet(f"no answer about {ticker}, which was sold")
    # Meanwhile it may have been bought again.
    if ticker in told and not scene.quantity(ticker):
        raise NotMet(f"{ticker} was sold and came back; it says {scene.now}")


# Our own processes


async def worker_killed(scene: Scene) -> None:
    """The worker is killed and started again 2 s later."""
    scene.product.worker.kill()
    scene.product.worker.wait()
    await asyncio.sleep(OUTAGE_SECONDS)
    scene.product.start_worker()


async def web_server_killed(scene: Scene) -> None:
    """The web server is killed and started again 2 s later."""
    scene.product.web.kill()
    scene.product.web.wait()
    await asyncio.sleep(OUTAGE_SECONDS)
    scene.product.start_web()


async def worker_frozen(scene: Scene) -> None:
    """The worker is stopped in mid-work; a second takes over within 5 s; then the first goes on."""
    first, second = scene.product.worker, scene.product.another_worker()
    try:
        await scene.until(lambda: _are_two_alive(scene), 10, "the second worker lives")
        [(writer, epoch)] = await scene.database(
            "SELECT worker_id, epoch FROM positions_accountstream"
        )
        first.send_signal(signal.SIGSTOP)
        try:

            async def is_taken_over() -> bool:
                rows = await scene.database(
                    "SELECT worker_id <> %s AND epoch > %s FROM positions_accountstream",
                    writer,
                    epoch,
                )
                return rows == [(True,)]

            took = await scene.until(is_taken_over, 5, "the second worker takes over")
            scene.note("taken over", took)
            scene.product.worker = second
            await asyncio.sleep(1)
        finally:
            first.send_signal(signal.SIGCONT)
        # It wakes up with a statement under way.
        await asyncio.sleep(1)
    finally:
        ended = second if scene.product.worker is first else first
        await asyncio.to_thread(end, ended)


async def _are_two_alive(scene: Scene) -> bool:
    return len(await asyncio.to_thread(living_workers, scene.product.environment)) >= 2


# The database


async def database_frozen(scene: Scene) -> None:
    """Every process of PostgreSQL is stopped for 4 s; the API must answer 503 within 3 s."""
    with _stopped(scene.product.database):
        ends_at = monotonic() + 4
        while monotonic() < ends_at:
            asked_at = monotonic()
            status = (await scene.ask()).status_code
            seconds = monotonic() - asked_at
            scene.note("503", seconds)
            if status != 503 or seconds > 3:
                raise NotMet(f"{status} after {seconds:.1f} s")
            await asyncio.sleep(0.2)


async def database_killed(scene: Scene) -> None:
    """PostgreSQL is killed; whoever needs it starts it again."""
    os.kill(_postmaster(scene.product.database), signal.SIGKILL)


async def row_locked(scene: Scene) -> None:
    """Another session holds the account's row for 4 s, and until that is said."""
    with session(scene.product.environment) as other, locked_account(other):
        await asyncio.gather(asyncio.sleep(4), scene.until_said("write_stuck", 6))


@contextmanager
def _stopped(database: Path) -> Iterator[None]:
    postmaster = _postmaster(database)
    stopped = [postmaster]
    # First of all, so that no process is added to those that are looked for.
    os.kill(postmaster, signal.SIGSTOP)
    try:
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for child in map(int, children):
            os.kill(child, signal.SIGSTOP)
            stopped.append(child)
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def _postmaster(database: Path) -> int:
    return int((database / "data" / "postmaster.pid").read_text().split()[0])


def _must_not_have_said(scene: Scene, *reasons: str) -> None:
    wrongly = [said for said in scene.said if said.endswith(reasons)]
    if wrongly:
        raise NotMet(f"it said {', '.join(wrongly)}")


FAULTS = [
    Fault(socket_cut),
    Fault(exchange_unavailable),
    Fault(exchange_refuses_connections),
    Fault(rejected_by_a_content_network),
    Fault(rejected_once),
    Fault(maintenance),
    Fault(clock_skewed),
    Fault(key_revoked),
    Fault(position_spoilt),
    Fault(market_spoilt),
    Fault(worker_killed),
    Fault(web_server_killed),
    Fault(worker_frozen, right_within=5),
    Fault(row_locked, right_within=5),
    Fault(database_frozen),
    Fault(database_killed),
    Fault(rest_lags),
    Fault(rest_lags_after_a_cut),
    Fault(rest_lags_over_a_restart),
    Fault(commands_unanswered),
    Fault(exchange_frozen),
]
