"""The sum of several accounts that somebody looks at, encoded once for all who look."""

import logging
from collections.abc import Mapping

from positions import sums
from positions.documents import portfolio_document
from positions.sums import Group
from streaming.web import sse
from streaming.web.fanout import Channel, Frame
from streaming.web.shared_snapshot import SharedSnapshot
from streaming.web.watched_account import WatchedAccount

logger = logging.getLogger(__name__)

_KEY = "portfolio"


class WatchedSum:
    """
    The state that the streams of all accounts show for one environment.

    Args:
        accounts: its members, by id.
    """

    def __init__(self, group: Group, accounts: Mapping[int, WatchedAccount]) -> None:
        self.group = group
        self.channel = Channel(self._whole)
        self.snapshots = SharedSnapshot(self._whole)
        self.is_loaded = False
        self._counted = [accounts[account_id] for account_id in group.counted]
        self._text = ""
        self._version = 0
        self._is_unknown = False
        for account in self._counted:
            account.sums.add(self)
        self.renew(0)

    def renew(self, version: int) -> None:
        """
        One of the members has changed; nothing is told until all of them are known.

        Args:
            version: that member's, for the event's id.
        """
        if not all(account.is_loaded for account in self._counted):
            return
        text = self._added_up()
        if text == self._text:
            return
        self._text, self._version = text, version
        if self.is_loaded:
            self.channel.publish({_KEY: Frame(version, self._whole())})
        else:
            self.is_loaded = True
            self.channel.start_over()

    def close(self) -> None:
        """Nobody looks any more."""
        for account in self._counted:
            account.sums.discard(self)

    def _added_up(self) -> str:
        environment = self.group.environment
        try:
            portfolios = [account.portfolio for account in self._counted]
            text = sse.to_json(sums.sum_document(environment, portfolios))
        except Exception:
            # A bug, with this sum alone: its members go on, and what it comes to is unknown.
            if not self._is_unknown:
                logger.exception("sum cannot be shown", extra={"environment": environment})
            self._is_unknown = True
            return sse.to_json(sums.sum_document(environment, [portfolio_document(0, None)]))
        self._is_unknown = False
        return text

    def _whole(self) -> bytes:
        return sse.event("portfolio", self._version, self._text)
