"""
A container whose engine publishes its ports on the machine's loopback alone.

Inside it the web server must listen on all addresses, and whoever comes from the machine comes from
the gateway of the container's network, as the engine's relay does.
"""

from ipaddress import IPv4Address
from pathlib import Path

from config.errors import WrongSetting
from config.values import boolean

# What Docker and Podman leave in each container.
MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
ROUTES = Path("/proc/net/route")
_DEFAULT = "00000000"


def local_gateway(name: str, text: str) -> str | None:
    """
    Where requests of the machine itself come from; None outside of such containers.

    Raises:
        WrongSetting: said of what is no container, or of one without a network of its own.
    """
    if not boolean(name, text):
        return None
    if not any(mark.exists() for mark in MARKS):
        raise WrongSetting(f"{name} is for containers alone: unset it, or set PUBLIC_ORIGIN.")
    found = gateway(ROUTES.read_text())
    if found is None:
        raise WrongSetting(f"{name} needs a network with a gateway, such as Docker's own.")
    return found


def gateway(routes: str) -> str | None:
    """
    The gateway in a table of routes, None if there is none.

    Args:
        routes: as Linux tells them in /proc/net/route.
    """
    for line in routes.splitlines()[1:]:
        _, destination, address, *_ = line.split()
        if destination == _DEFAULT and address != _DEFAULT:
            # The kernel writes the number as it has it in memory.
            return str(IPv4Address(int.from_bytes(bytes.fromhex(address), "little")))
    return None
