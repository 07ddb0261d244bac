"""Server-Sent Events as bytes; the format is the WHATWG HTML standard's."""

import json
from collections.abc import Mapping

# A line that browsers ignore: it keeps proxies from closing an idle stream.
COMMENT = b":\n\n"


def to_json(document: Mapping[str, object]) -> str:
    """A document as one line: JSON escapes line breaks, so no text in it can end the line."""
    return json.dumps(document, separators=(",", ":"))


def event(name: str, version: int, document: str) -> bytes:
    """
    One event with its id and its data, whose `type` repeats the event's name.

    Args:
        document: a JSON object on one line, not empty; encoded by the caller, who may need the same
            text in several events.
    """
    return b"id: %d\n%b" % (version, without_id(name, document))


def without_id(name: str, document: str) -> bytes:
    """One event as `event` makes it, for `with_id` to complete: whom it goes to decides."""
    return f'event: {name}\ndata: {{"type":"{name}",{document[1:]}\n\n'.encode()


def with_id(event_id: bytes, unnumbered: bytes) -> bytes:
    """An event that `without_id` made, complete."""
    return b"id: %b\n%b" % (event_id, unnumbered)


def last_id(events: bytes) -> bytes | None:
    """The id of the last of these events; None if none of them has one."""
    # In no event's text is a line break.
    place = events.rfind(b"\nid: ")
    if place < 0 and not events.startswith(b"id: "):
        return None
    start = place + len(b"\nid: ")
    return events[start : events.index(b"\n", start)]


def account_removed(version: int, account_id: int) -> bytes:
    """
    Tell that an account is no longer there for this client.

    Args:
        version: the last it was told of.
    """
    return event("account_removed", version, to_json({"account_id": account_id}))


def retry(milliseconds: int) -> bytes:
    """Tell the browser how long to wait before it reconnects."""
    return f"retry: {milliseconds}\n\n".encode()
