"""
One writer an account: a worker that was overtaken writes nothing more, whatever it still believes.

Whoever takes an account over raises its epoch (`positions.taking_over.open_stream`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from positions.models import AccountStream


class TakenOver(Exception):
    """Another worker writes this account now: stop at once."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write what rests on an account's rows, as of the epoch that it was given in."""

    account_id: int
    epoch: int

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        A transaction during which nobody takes the account over.

        The account's other writes wait meanwhile: to be held for a few statements only.

        Raises:
            TakenOver: another worker has raised the epoch.
        """
        with transaction.atomic():
            streams = AccountStream.objects.select_for_update(no_key=True)
            if not streams.filter(account_id=self.account_id, epoch=self.epoch):
                raise TakenOver
            yield
