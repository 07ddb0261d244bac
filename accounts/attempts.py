"""One try to sign in, from its place in the throttle to its end."""

from types import TracebackType
from typing import Self

from asgiref.sync import sync_to_async

from accounts import throttle
from accounts.errors import FailedTry


class Attempt:
    """
    Counts what happens inside as one try of these keys, for `with` and `async with`.

    The try counts if it ends in `FailedTry`, which somebody guessing would see again and again,
    or is cancelled: else who hangs up in time would never have tried. Entering it raises
    TooManyTries.
    """

    def __init__(self, *keys: throttle.Key) -> None:
        self._keys = keys
        self._places: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        self._places = throttle.reserve(*self._keys)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or (isinstance(error, Exception) and not isinstance(error, FailedTry)):
            throttle.give_back(self._places)

    async def __aenter__(self) -> Self:
        return await sync_to_async(self.__enter__)()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await sync_to_async(self.__exit__)(kind, error, traceback)
