"""How quick a page is that shows a load: each figure as rows of the table."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic

from benchmarks.page_browser import Browser, Session
from benchmarks.page_scene import Load, Server, open_page
from benchmarks.page_targets import Row, Target, least, most
from benchmarks.processes import thread_seconds

ORDERS = ("name", "pnl", "closing", "value", "day", "name", "value")
THROTTLE = 4
# From one deed to the next.
PAUSE_SECONDS = 0.3
# The server's part: with fewer ticks the rest says nothing.
RATE_KEPT = 0.98
# The main thread's share of a second that a load may take, in milliseconds.
BUSY = {Load(500, 200): 100, Load(2000, 1000): 200}
# What garbage collection leaves differs by so much from one time to the next.
HEAP_SLACK = 1.05, 0.5


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long things are measured, in seconds, and how often what is done once."""

    settle: float
    steady: float
    times: int

    @property
    def orders(self) -> Sequence[str]:
        return ORDERS[: self.times + 1]


def _rows_of_many(
    load: Load | str, what: str, values: Sequence[float], target: Target | None
) -> Row:
    note = f"slowest {max(values):,.0f}" if len(values) > 1 else ""
    return Row(str(load), what, median(values), target, note=note)


async def first_figures(browser: Browser, server: Server, times: int) -> list[Row]:
    """The page opened on a cold cache, again and again."""
    sums, rows = [], []
    for _ in range(times):
        async with open_page(browser, server) as (_page, first_sum, first_row):
            sums.append(first_sum)
            rows.append(first_row)
    return [
        _rows_of_many(server.load, "first figure, ms", sums, most(1000)),
        _rows_of_many(server.load, "first row, ms", rows, None),
    ]


async def steady_state(
    browser: Browser, server: Server, page: Session, lengths: Lengths
) -> list[Row]:
    """What the page costs while nobody touches it."""
    load, name = server.load, str(server.load)
    await asyncio.sleep(lengths.settle)
    await page.evaluate("bench.longTasks.length = 0")
    # Without a loop of ours, which would have a frame made each time there can be one.
    cpu, made = await _Cpu.read(browser), await server.counts()
    before, began = await _metrics(page), monotonic()
    await asyncio.sleep(lengths.steady)
    after, took = await _metrics(page), monotonic() - began
    ticks = ((await server.counts())["ticked"] - made["ticked"]) / took
    spent = (await _Cpu.read(browser)).since(cpu, took)
    frames = await page.evaluate(f"bench.frames({lengths.steady})")
    long = await page.evaluate("bench.longTasks")
    elements = await page.evaluate("bench.elements()")
    busy = {
        metric: (after[metric] - before[metric]) * 1000 / took
        for metric in ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
    }
    style = busy["LayoutDuration"] + busy["RecalcStyleDuration"]
    target = most(BUSY[load]) if load in BUSY else None
    note = f"longest pause {frames['longest']:.0f} ms"
    longest = f"longest {max(long, default=0):.0f} ms"
    return [
        Row(name, "ticks a second", ticks, least(load.rate * RATE_KEPT)),
        Row(name, "frames a second", frames["rate"], least(60), note=note),
        Row(name, "main thread, task-ms/s", busy["TaskDuration"], target),
        Row(name, "– of it script", busy["ScriptDuration"]),
        Row(name, "– of it style and layout", style),
        *(Row(name, f"CPU-ms/s, {who}", value) for who, value in spent.items()),
        Row(name, "tasks over 50 ms", len(long), most(0), note=longest),
        Row(name, "elements", elements["all"], note=f"{elements['rows']:,} rows"),
    ]


async def deeds(server: Server, page: Session, lengths: Lengths) -> list[Row]:
    """What people do, while prices move: from the event until it is painted."""
    sorts = []
    for order in lengths.orders:
        sorts.append(await page.evaluate(f"bench.sort('{order}')"))
        await asyncio.sleep(PAUSE_SECONDS)
    privacies = [await _privacy(page) for _ in range(2 * (lengths.times // 2 + 1))]
    clicks = await _clicks(server, page, lengths.times)
    return [
        _rows_of_many(server.load, "another order, ms", sorts, most(50)),
        _rows_of_many(server.load, "privacy, ms", privacies, most(50)),
        _rows_of_many(server.load, "click on a row, ms", clicks, None),
    ]


async def throttled(server: Server, page: Session, lengths: Lengths) -> list[Row]:
    """The same page on a CPU that is four times as slow; a shared worker stays as quick."""
    load = f"{server.load}, {THROTTLE} × slower"
    await page.call("Emulation.setCPUThrottlingRate", rate=THROTTLE)
    try:
        await asyncio.sleep(lengths.settle)
        frames = await page.evaluate(f"bench.frames({lengths.steady})")
        clicks = await _clicks(server, page, lengths.times)
    finally:
        await page.call("Emulation.setCPUThrottlingRate", rate=1)
    note = f"longest pause {frames['longest']:.0f} ms"
    return [
        Row(load, "frames a second", frames["rate"], least(30), note=note),
        _rows_of_many(load, "click on a row, ms", clicks, most(200)),
    ]


async def heap(
    browser: Browser, server: Server, page: Session, minutes: float, warm_seconds: float
) -> list[Row]:
    """What the page and its worker hold after garbage collection, at first and after a while."""
    sessions = [page, *await browser.workers(page)]
    # Until each position has been drawn, and what is made once has been made.
    await asyncio.sleep(warm_seconds)
    began, sizes = monotonic(), [await _held(sessions)]
    nodes = (await _metrics(page))["Nodes"]
    while (left := began + minutes * 60 - monotonic()) > 0:
        await asyncio.sleep(min(left, 60))
        sizes.append(await _held(sessions))
    grown = (await _metrics(page))["Nodes"] - nodes
    # A page that leaks is larger at each look; one that does not is now and then as small as ever.
    factor, slack = HEAP_SLACK
    target = most(round(sizes[0] * factor + slack, 1))
    name, span = str(server.load), f"after {minutes:g} min"
    note = ", ".join(f"{size:.1f}" for size in sizes)
    return [
        Row(name, "heap at first, MB", sizes[0], decimals=1),
        Row(name, f"heap {span}, MB", sizes[-1], target, decimals=1, note=note),
        Row(name, f"more nodes {span}", grown),
    ]


async def _held(sessions: Sequence[Session]) -> float:
    used = 0.0
    for session in sessions:
        await session.call("HeapProfiler.collectGarbage")
        used += (await session.call("Runtime.getHeapUsage"))["usedSize"]
    return used / 1e6


async def _metrics(page: Session) -> dict[str, float]:
    metrics = (await page.call("Performance.getMetrics"))["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


async def _privacy(page: Session) -> float:
    place = await page.evaluate(
        "(({left, top, width, height}) => [left + width / 2, top + height / 2])"
        "(document.querySelector('.bar-privacy').getBoundingClientRect())"
    )
    await page.evaluate("bench.lookOutForPrivacy()")
    await _click(page, *place)
    milliseconds: float = await page.evaluate("bench.answered()")
    await asyncio.sleep(PAUSE_SECONDS)
    return milliseconds


async def _clicks(server: Server, page: Session, times: int) -> list[float]:
    """Clicks on one row after the other; the detail must show each."""
    documents = await server.documents()
    took = []
    for place in range(1, times + 1):
        row = (await page.evaluate("bench.rows()"))[place]
        # The order is held while the pointer is over the list.
        await _move(page, row["x"], row["y"])
        rows = await page.evaluate("bench.rows()")
        for row in rows[place:] + rows[:place]:
            title = json.dumps(documents[row["ticker"]]["title"])
            if not await page.evaluate(f"bench.detailShows({title})"):
                break
        await page.evaluate(f"bench.lookOutForDetail({title})")
        await _click(page, row["x"], row["y"])
        took.append(await page.evaluate("bench.answered()"))
        await asyncio.sleep(PAUSE_SECONDS)
    await _move(page, 1, 1)
    return took


async def _move(page: Session, x: float, y: float) -> None:
    await page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


async def _click(page: Session, x: float, y: float) -> None:
    await _move(page, x, y)
    for kind in ("mousePressed", "mouseReleased"):
        await page.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
        )


class _Cpu:
    """CPU seconds that the browser's threads have used, by what they are for."""

    def __init__(self, used: dict[str, float]) -> None:
        self._used = used

    @classmethod
    async def read(cls, browser: Browser) -> "_Cpu":
        """As of now."""
        processes = (await browser.itself.call("SystemInfo.getProcessInfo"))["processInfo"]
        used: dict[str, float] = {}
        for process in processes:
            pid = process["id"]
            for thread, (name, seconds) in thread_seconds(pid).items():
                who = _purpose(process["type"], name, is_main=thread == pid)
                used[who] = used.get(who, 0.0) + seconds
        return cls(used)

    def since(self, before: "_Cpu", took: float) -> dict[str, float]:
        """Milliseconds a second since then."""
        return {
            who: (self._used.get(who, 0.0) - before._used.get(who, 0.0)) * 1000 / took
            for who in _PURPOSES
        }


_PURPOSES = ("page’s main thread", "workers", "page’s other threads", "rest of the browser")


def _purpose(process: str, thread: str, *, is_main: bool) -> str:
    if process != "renderer":
        return _PURPOSES[3]
    if is_main:
        return _PURPOSES[0]
    # As Linux has them, cut after fifteen letters: "SharedWorker th".
    return _PURPOSES[1] if "Worker" in thread else _PURPOSES[2]
