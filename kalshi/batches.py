"""
Lists that are asked for by name, a hundred names in a request: all that can be had of them.

One name that the exchange fails on must not cost the others of its request, nor one request the
others. So a request that the exchange answered with an error, or without sense, is asked again in
halves, down to the name at fault, as long as that gets anywhere.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from kalshi.errors import DecodeError, KalshiError, RequestRejected, ServerFailed, Unavailable

# The exchange names no maximum, but with more the address outgrows what servers accept.
NAMES_PER_REQUEST = 100
# One that can't be asked for by name would have the others of its request refused as well.
_ASKABLE = re.compile(r"[A-Za-z0-9._-]+")
# Requests that may be spent on finding what is at fault in one of a hundred names; and how many of
# them may fail before it is clear that everything does.
_SEARCH_REQUESTS = 30
_FUTILE_REQUESTS = 6
# After so long no more halves are made: an exchange that takes its time to fail must not hold up
# what it does answer.
_SEARCH_SECONDS = 15.0

Read = Callable[[Sequence[str]], Awaitable[list[object]]]


@dataclass(slots=True)
class Batched:
    """
    What came of it.

    Attributes:
        values: the rows, undecoded.
        refused: names that the exchange answers with an error even when asked alone.
        unanswered: names whose requests failed for another reason, or that were not searched to the
            end: of them nothing is known.
    """

    values: list[object] = field(default_factory=list)
    refused: dict[str, KalshiError] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


async def read_by_name(read: Read, names: Iterable[str]) -> Batched:
    """
    Ask for all of them, in as many requests at once as it takes.

    Raises:
        KalshiError: none of the requests got an answer; or the key is no good.
    """
    wanted = [name for name in dict.fromkeys(names) if _ASKABLE.fullmatch(name)]
    groups = [
        wanted[start : start + NAMES_PER_REQUEST]
        for start in range(0, len(wanted), NAMES_PER_REQUEST)
    ]
    reads = [asyncio.ensure_future(_search(read, group)) for group in groups]
    try:
        outcomes = await asyncio.gather(*reads)
    finally:
        # When one has failed, the others are of no more use; none outlives the call.
        for each in reads:
            each.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    failures = [error for _, error in outcomes if error is not None]
    if failures and len(failures) == len(outcomes):
        raise failures[0]
    batched = Batched()
    for part, _ in outcomes:
        batched.values += part.values
        batched.refused |= part.refused
        batched.unanswered |= part.unanswered
    return batched


async def _search(read: Read, names: list[str]) -> tuple[Batched, KalshiError | None]:
    """What can be had of one request's names, and the error if that is nothing at all."""
    found, first_error, answered = Batched(), None, 0
    groups, failed = deque([names]), 0
    until = monotonic() + _SEARCH_SECONDS
    while groups:
        group = groups.popleft()
        try:
            found.values += await read(group)
            answered += 1
        except (Unavailable, RequestRejected, DecodeError) as error:
            failed += 1
            first_error = first_error or error
            if not isinstance(error, ServerFailed | RequestRejected | DecodeError):
                found.unanswered.update(group, *groups)
                break
            if len(group) == 1 and not isinstance(error, DecodeError):
                found.refused[group[0]] = error
            elif len(group) == 1 or _is_hopeless(answered, failed) or monotonic() > until:
                found.unanswered.update(group)
            else:
                middle = len(group) // 2
                groups += [group[:middle], group[middle:]]
    return found, None if answered else first_error


def _is_hopeless(answered: int, failed: int) -> bool:
    if answered:
        return answered + failed >= _SEARCH_REQUESTS
    return failed >= _FUTILE_REQUESTS
