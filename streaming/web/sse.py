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
    return f'id: {version}\nevent: {name}\ndata: {{"type":"{name}",{document[1:]}\n\n'.encode()


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
