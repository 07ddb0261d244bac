"""The sum of several accounts that somebody looks at, encoded once for all who look."""

import logging
from collections.abc import Mapping

from positions import sums
from positions.documents import portfolio_document
from positions.sums import Group
from streaming.web import sse
from streaming.web.fanout import Channel, Frame
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
        # It is too little to be compressed, and has no id of its own.
        self.snapshots = None
        self.is_loaded = False
        self._counted = [accounts[account_id] for account_id in group.counted]
        self._text = ""
        self._is_unknown = False
        for account in self._counted:
            account.sums.add(self)
        self.renew()

    def renew(self) -> None:
        """One of the members has changed; nothing is told until all of them are known."""
        if not all(account.is_loaded for account in self._counted):
            return
        text = self._added_up()
        if text == self._text:
            return
        self._text = text
        if self.is_loaded:
            self.channel.publish({_KEY: Frame(0, self._whole())})
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
        return sse.without_id("portfolio", self._text)
