"""How many files and sockets a process may have open."""

import resource


def allow_all() -> int | None:
    """
    Let this process have as many open as the system lets it; how many, None where it sets no limit.

    The usual limit of 1,024 is a leftover of `select`, which nothing here uses.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return None if most == resource.RLIM_INFINITY else most
