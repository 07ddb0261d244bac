"""Which modules a module of the page needs, read from what it imports. No I/O in here."""

import posixpath
import re
from collections.abc import Callable

# At the start of a line, so that types in comments are none. What is imported while the page runs,
# `import("./it.js")`, waits until then.
_IMPORT = re.compile(
    r"""^(?:import\s*|(?:import|export)\b[^;"'()]*?\bfrom\s*)["'](?P<path>\.{1,2}/[^"']+)["']""",
    re.MULTILINE,
)


def imported(name: str, text: str) -> list[str]:
    """The modules that one imports, by their names, in its order."""
    folder = posixpath.dirname(name)
    return [
        posixpath.normpath(posixpath.join(folder, found["path"]))
        for found in _IMPORT.finditer(text)
    ]


def module_graph(entry: str, read: Callable[[str], str]) -> list[str]:
    """
    Every module that runs before the entry does, each once, the nearest first.

    Args:
        read: gives a module's text by its name.
    """
    found = {entry: None}
    # A dict may not grow while it is gone through.
    waiting = [entry]
    for name in waiting:
        new = [each for each in dict.fromkeys(imported(name, read(name))) if each not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return waiting[1:]
