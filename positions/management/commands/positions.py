"""`manage.py positions`: accounts as tables in the terminal."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from positions import watching
from positions.position_tables import Size, Snapshot, lines
from postgres import patience
from postgres.errors import DATABASE_TROUBLE

# What a terminal obeys: another screen to draw on, without a cursor, and back to the first one.
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, END_OF_LINE, BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
UNREACHED = "The database can't be reached: what is below is as last read. Trying again."
# For terminals that have no other characters.
PLAIN = str.maketrans({"▲": "", "▼": "", "−": "-", "—": "-", "¢": "c", "…": "~", "\u00a0": " "})


class Command(BaseCommand):
    """Print the open positions of one account or of all."""

    help = (
        "Shows the open positions of each account with their figures, sums, and how the account's "
        "connection stands. Reads what the worker has written, and asks the exchange nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and whether to stay."""
        parser.add_argument("--account", type=int, metavar="N", help="only this one, by its id")
        parser.add_argument(
            "--watch",
            action="store_true",
            help="in a terminal: follow the changes until Ctrl-C; elsewhere the table is told once",
        )

    def handle(self, *args: Any, account: int | None, watch: bool, **options: Any) -> None:
        """Print once, or until told to stop."""
        patience.adopt(patience.WEB)
        try:
            seen = watching.look(account)
        except DATABASE_TROUBLE:
            raise CommandError(
                "The database can't be reached; manage.py doctor says more."
            ) from None
        if account is not None and not seen:
            raise CommandError(f"There is no account {account}.")
        if watch and self.stdout.isatty():
            asyncio.run(self._watch(account))
            return
        now, at = timezone.now(), monotonic()
        size = Size(_terminal().columns, sys.maxsize) if self.stdout.isatty() else None
        try:
            self._write(
                "\n".join(lines([each.snapshot(now, at) for each in seen], now, size)) + "\n"
            )
        except BrokenPipeError:
            # Whoever reads has enough. Python would complain of the same once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    async def _watch(self, account: int | None) -> None:
        work = asyncio.create_task(watching.watch(account, self._draw))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with self._own_screen():
            try:
                await work
            except asyncio.CancelledError:
                if not work.cancelled():
                    raise

    def _draw(self, snapshots: list[Snapshot], is_reached: bool) -> None:
        size = _terminal()
        above = [] if is_reached else [UNREACHED, ""]
        told = [
            *above,
            *lines(snapshots, timezone.now(), Size(size.columns, size.lines - len(above))),
        ]
        # Over what is there, as a screen that is emptied first flickers.
        self._write(HOME + "\n".join(f"{line}{END_OF_LINE}" for line in told) + BELOW)

    @contextmanager
    def _own_screen(self) -> Iterator[None]:
        self._write(ENTER)
        try:
            yield
        finally:
            # The terminal itself may be gone.
            with suppress(OSError):
                self._write(LEAVE)

    def _write(self, text: str) -> None:
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
        self.stdout.write(text, ending="")
        self.stdout.flush()


def _terminal() -> os.terminal_size:
    return shutil.get_terminal_size()
