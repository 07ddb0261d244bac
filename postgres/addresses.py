"""The addresses of a server's name, within a time limit: the system's own lookup keeps none."""

import socket
import threading
from concurrent.futures import Future
from ipaddress import ip_address
from time import monotonic

_Name = tuple[str, str]

_lock = threading.Lock()
# One at a time for each name: while no name server answers, each keeps a thread for half a minute.
_under_way: dict[_Name, Future[list[str]]] = {}


def is_one_name(host: str) -> bool:
    """Whether it is a name, and not an address, a directory or several of these."""
    if not host or "," in host or host.startswith(("/", "@")):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def addresses_of(host: str, port: str, deadline: float) -> list[str]:
    """
    The addresses of a name, each once.

    Args:
        deadline: by the monotonic clock.
    Raises:
        TimeoutError: it is not known by then.
        OSError, UnicodeError: there is no such name, say, or can be none.
    """
    name = host, port
    with _lock:
        lookup = _under_way.get(name)
        if lookup is None:
            lookup = Future()
            thread = threading.Thread(target=_look_up, args=(name, lookup), daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                # No room for one more.
                raise OSError(str(error)) from error
            _under_way[name] = lookup
    return lookup.result(max(0.0, deadline - monotonic()))


def _look_up(name: _Name, lookup: "Future[list[str]]") -> None:
    try:
        found = socket.getaddrinfo(*name, proto=socket.IPPROTO_TCP, type=socket.SOCK_STREAM)
    except Exception as error:  # whatever it is, somebody waits for it
        _end(name)
        lookup.set_exception(error)
    else:
        _end(name)
        lookup.set_result(list(dict.fromkeys(str(address[0]) for *_, address in found)))


def _end(name: _Name) -> None:
    # First of all: who comes after it looks anew.
    with _lock:
        del _under_way[name]
