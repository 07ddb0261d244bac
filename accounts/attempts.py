"""One try to sign in, from its place in the throttle to its end: counted, and told in the log."""

from types import TracebackType
from typing import Self

from asgiref.sync import sync_to_async

from accounts import sign_in_log, throttle
from accounts.errors import ApiError, FailedTry, TooManyTries
from accounts.sign_in_log import SignInBy
from accounts.throttle import Key


class Attempt:
    """
    Counts what happens inside as one try, for `with` and `async with`.

    The try counts if it ends in `FailedTry`, which somebody guessing would see again and again,
    or is cancelled: else who hangs up in time would never have tried. Entering it raises
    TooManyTries.

    Args:
        by: what is shown.
        network: where it comes from, as of `addresses.network`.
        also: what the try counts for beside the network.
        counts: false for what nobody can guess at: it is told, and never refused as one too many.
    """

    def __init__(self, by: SignInBy, network: str, *also: Key, counts: bool = True) -> None:
        self._by = by
        self._network = network
        self._keys = (Key("address", network), *also) if counts else ()
        self._places: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        if not self._keys:
            return self
        try:
            self._places = throttle.reserve(*self._keys)
        except TooManyTries as error:
            self._tell(error)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or (isinstance(error, Exception) and not isinstance(error, FailedTry)):
            throttle.give_back(self._places)
        if isinstance(error, ApiError):
            self._tell(error)

    async def __aenter__(self) -> Self:
        return await sync_to_async(self.__enter__)()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await sync_to_async(self.__exit__)(kind, error, traceback)

    def _tell(self, error: ApiError) -> None:
        sign_in_log.tell(error, by=self._by, network=self._network)
