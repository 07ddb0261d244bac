"""
How quick the page is: frames, the main thread's time, what people do, the first figure, the heap.

    python -m benchmarks.page [--quick] [--lenient] [--minutes M] [--json FILE] [--portfolios N]
        [--load POSITIONSxRATE …]

The product's page in headless Chromium, on a stand-in server (`page_server.py`) that sends ticks at
an exact rate, so that neither worker nor database takes time from what is measured. Prints a table;
ends with 1 if a target is missed. Ends after some three minutes, loopback only.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks import page_measures as measures
from benchmarks.page_browser import Browser, running_browser
from benchmarks.page_scene import (
    Load,
    check_delivery,
    check_errors,
    open_page,
    running_server,
)
from benchmarks.page_targets import Row, as_documents, missed, table
from benchmarks.product import LOG

LOADS = ("500x200", "2000x1000")
THOROUGH = measures.Lengths(settle=3, steady=8, times=6)
QUICK = measures.Lengths(settle=1, steady=2, times=2)
DELIVERY_SECONDS = 2.0


async def measure(
    browser: Browser, load: Load, lengths: measures.Lengths, minutes: float, portfolios: float
) -> list[Row]:
    """All figures of one load."""
    name = str(load)
    async with running_server(load, portfolios) as server:
        _say(f"{load}: first figures")
        rows = await measures.first_figures(browser, server, lengths.times)
        async with open_page(browser, server) as (page, *_):
            _say("what is sent, got and shown")
            await check_delivery(browser, server, page, DELIVERY_SECONDS)
            _say("steady state")
            rows += await measures.steady_state(browser, server, page, lengths)
            _say("deeds")
            rows += await measures.deeds(server, page, lengths)
            _say("slower")
            rows += await measures.throttled(server, page, lengths)
            if minutes:
                _say("heap")
                rows += await measures.heap(browser, server, page, minutes, lengths.settle * 3)
            # As at first: nothing that was done in between has cost the page an event.
            _say("what is sent, got and shown")
            behind = await check_delivery(browser, server, page, DELIVERY_SECONDS)
            await check_errors(page)
            counts = await server.counts()
    rows.append(Row(name, "behind the server, ms", behind * 1000))
    rows.append(Row(name, "ticks made too late, ms at most", counts["late_seconds"] * 1000))
    rows.append(Row(name, "events that a newer one replaced", counts["superseded"]))
    return rows


async def main(arguments: argparse.Namespace, rows: list[Row]) -> None:
    """All loads, one after the other; what was measured until it fails is in `rows`."""
    # Chromium must not outlive it, whoever ends it.
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    lengths = QUICK if arguments.quick else THOROUGH
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_bytes(b"")
    async with running_browser() as browser:
        for load in arguments.load:
            rows += await measure(browser, load, lengths, arguments.minutes, arguments.portfolios)


def _say(what: str) -> None:
    print(f"{what} …", file=sys.stderr, flush=True)


def _load(text: str) -> Load:
    positions, _, rate = text.partition("x")
    return Load(int(positions), int(rate))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("--quick", action="store_true", help="short and not exact")
    parser.add_argument("--lenient", action="store_true", help="end with 0 all the same")
    parser.add_argument("--minutes", type=float, default=0.5, help="of the heap; 0: none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--portfolios", type=float, default=5, help="a second; 0: one with each flush"
    )
    parser.add_argument("--load", type=_load, nargs="+", default=[_load(each) for each in LOADS])
    return parser.parse_args()


def _commit() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    arguments = _arguments()
    rows: list[Row] = []
    others = os.getloadavg()[0]
    try:
        asyncio.run(main(arguments, rows))
    finally:
        print(table(rows))
    # Of others, before it began: with more than a few tenths the figures are theirs as well.
    print(f"Programs that wanted a processor before: {others:.1f}.")
    if arguments.json:
        document = {
            "commit": _commit(),
            "quick": arguments.quick,
            "load_before": others,
            "rows": as_documents(rows),
        }
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for row in missed(rows):
        print(f"missed: {row.load}, {row.what}", file=sys.stderr)
    sys.exit(1 if missed(rows) and not arguments.lenient else 0)
