"""
The shapes that the exchange publishes for its answers and frames, to hold the sandbox's against.

They are derived from its documents and closed: a field that they do not know is an error too.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_PAYLOADS = Path(__file__).parents[2] / "payloads" / "exchange"

_FRAMES = {
    "subscribed": "subscribedResponsePayload",
    "unsubscribed": "unsubscribedResponsePayload",
    "ok": "okResponsePayload",
    "error": "errorResponsePayload",
    "ticker": "tickerPayload",
    "fill": "fillPayload",
    "market_position": "marketPositionPayload",
    "market_lifecycle_v2": "marketLifecycleV2Payload",
    "multivariate_market_lifecycle": "multivariateMarketLifecyclePayload",
    "event_lifecycle": "eventLifecyclePayload",
    "event_fee_update": "eventFeeUpdatePayload",
}


def payload(name: str) -> Any:
    return json.loads((_PAYLOADS / name).read_text())


@cache
def _validator(document: str, shape: str) -> Draft202012Validator:
    return Draft202012Validator({**payload(document), "$ref": f"#/$defs/{shape}"})


def answer(body: Any, shape: str) -> Any:
    """The body of a REST answer, once it is known to have the published shape."""
    _validator("rest.json", shape).validate(body)
    return body


def frame(text: str) -> dict[str, Any]:
    """The decoded frame, once it is known to have the published shape of its type."""
    decoded = json.loads(text)
    shape = _FRAMES[decoded["type"]]
    if isinstance(decoded.get("msg"), list):
        shape = "listSubscriptionsResponsePayload"
    _validator("websocket.json", shape).validate(decoded)
    return decoded
