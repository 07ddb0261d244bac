"""
The sandbox of this machine, opened by a click with the key that it has written down.

Nobody has typed anything, so what fails is told with what can be done about the sandbox.
"""

import json
from pathlib import Path

from django.conf import settings

from accounts import key_check
from accounts.encryption import Secret
from accounts.errors import (
    ClockSkewed,
    ExchangeMaintenance,
    ExchangeUnavailable,
    InvalidPrivateKey,
    KeyRefused,
    KeyScope,
    SandboxRefuses,
)
from accounts.key_check import CheckedKey

_NOT_RUNNING = (
    "The sandbox is not running on this machine. Start it with make demo, or manage.py "
    "run_sandbox_exchange."
)
_SILENT = (
    "The sandbox does not answer. If it runs, let it answer again on its control page; if not, "
    "start it with make demo, or manage.py run_sandbox_exchange."
)
_MAINTENANCE = "The sandbox is in maintenance. Wait until it is over, or start the sandbox anew."
_CLOCK = "The sandbox’s clock is put wrong. Set it right on its control page: skew, 0 seconds."


def key() -> tuple[str, Secret]:
    """
    The key id and the private key that the sandbox has written down for us.

    Raises:
        ExchangeUnavailable: it has not, so it is not running.
    """
    try:
        written = json.loads((Path(settings.SANDBOX_DIR) / "credentials.json").read_text())
        return written["api_key_id"], Secret.seal(written["private_key"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Without its cause, which may quote the file.
        raise ExchangeUnavailable(_NOT_RUNNING) from None


async def check(api_key_id: str, private_key: Secret) -> CheckedKey:
    """
    What the sandbox says of its own key.

    Raises:
        SandboxRefuses, ExchangeUnavailable, ExchangeMaintenance, ClockSkewed: as their messages
        say. Busy: too many sign in at the moment.
    """
    try:
        return await key_check.check("sandbox", api_key_id, private_key)
    except (InvalidPrivateKey, KeyRefused, KeyScope) as error:
        # Not as somebody's bad key, which would count: nobody guesses here.
        raise SandboxRefuses from error
    except ExchangeMaintenance as error:
        raise ExchangeMaintenance(_MAINTENANCE) from error
    except ClockSkewed as error:
        raise ClockSkewed(_CLOCK) from error
    except ExchangeUnavailable as error:
        raise ExchangeUnavailable(_SILENT) from error
