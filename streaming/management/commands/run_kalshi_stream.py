"""`manage.py run_kalshi_stream`: the worker."""

import asyncio
import signal
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from postgres import patience
from streaming import exposition, open_files
from streaming.worker.metrics import WorkerMetrics
from streaming.worker.port import listening
from streaming.worker.worker import Worker


class Command(BaseCommand):
    """Feed the cache from the exchange until told to stop."""

    help = (
        "Holds the WebSocket to the exchange of every account with a stored key, and writes what "
        "it says to the database. Run one or more: each takes over what another drops, and of many "
        "accounts each has its part."
    )

    # Django's checks load the API and the pages, which a worker doesn't use: 12 MB.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        patience.adopt(patience.WORKER)
        # Each account has some four sockets.
        open_files.allow_all()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work())


async def _work() -> None:
    work = asyncio.create_task(_run(Worker()))
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        if not work.cancelled():
            raise


async def _run(worker: Worker) -> None:
    if settings.METRICS_PORT is None:
        await worker.run()
    async with listening(
        settings.METRICS_HOST,
        settings.METRICS_PORT,
        token=settings.METRICS_TOKEN,
        metrics=lambda: exposition.text(WorkerMetrics(worker.held)),
    ):
        await worker.run()
