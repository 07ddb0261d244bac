"""`make test-live`: the live tests, or what they would do."""

import sys
import textwrap
from pathlib import Path

import pytest

from kalshi.calls import CALLS
from tests.live.demo import API_BASE, CHANNELS, WS_URL, Incomplete, account

PLAN = f"""\
Nothing was asked: the environment names no key.

With a key, this asks Kalshi's demo environment, and only reads:
  REST at {API_BASE}
    {{calls}}
  WebSocket at {WS_URL}
    {", ".join(CHANNELS)}: subscribe, update, list, unsubscribe; an unknown channel
  and with an unknown key and a clock that is five minutes off, to be refused.

To get a key:
  1. Sign up at https://demo.kalshi.co. Its accounts and keys are its own, its money is none.
  2. Account & security, API keys: create one that can only read, and save the private key in a file
     that only you can read. It is shown once.
  3. export KALSHI_DEMO_KEY_ID=<the key's ID> KALSHI_DEMO_PRIVATE_KEY_FILE=<the file>
     make test-live

Another exchange, such as the sandbox, is asked with KALSHI_DEMO_API_BASE and KALSHI_DEMO_WS_URL."""


def main() -> int:
    try:
        demo = account()
    except Incomplete as error:
        print(error, file=sys.stderr)
        return 1
    if demo is None:
        calls = textwrap.fill(", ".join(CALLS), 92, break_on_hyphens=False)
        print(PLAN.format(calls=textwrap.indent(calls, "    ").lstrip()))
        return 0
    print(f"Asking {demo.environment.api_base}")
    return pytest.main(["-v", str(Path(__file__).parent)])


sys.exit(main())
