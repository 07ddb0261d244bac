"""What every client's program shares: what it is given, and how it tells what it saw."""

import json
import sys

GIVEN = json.load(sys.stdin)


def tell(call, result):
    """One line for one call or channel: a count of what came, or what went wrong."""
    print(json.dumps({"call": call, "result": result}), flush=True)


def outcome(value):
    """How much of something came: the length of a list or of a page, 1 of anything else."""
    value = value.items if isinstance(getattr(value, "items", None), list) else value
    return len(value) if isinstance(value, list | tuple) else 1


def trouble(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:200]}"
