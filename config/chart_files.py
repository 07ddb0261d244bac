"""The charts' library among the static files: what npm has installed of it, if it has."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage

PREFIX = "uplot"
# Of all forms it comes in, those that a page loads.
FILES = ("uPlot.esm.js", "uPlot.min.css")


class ChartFilesFinder(BaseFinder):
    """
    Finds `uplot/uPlot.esm.js` and `uplot/uPlot.min.css`, or nothing.

    A directory in `STATICFILES_DIRS` would bring all that is in it, and warn where it is missing.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or Path(settings.BASE_DIR, "node_modules", "uplot", "dist")

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Nothing to complain of: the page works without it."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> str | list[str]:  # type: ignore[override]  # the stubs know an older name
        """The file that a path below `static/` stands for."""
        found = [str(self._directory / name) for name in self._there() if path == _path(name)]
        if find_all:
            return found
        return found[0] if found else []

    def list(
        self, ignore_patterns: Iterable[str] | None
    ) -> Iterator[tuple[str, FileSystemStorage]]:
        """All of them, as `collectstatic` wants them."""
        storage = FileSystemStorage(location=self._directory)
        storage.prefix = PREFIX  # type: ignore[attr-defined]  # read by collectstatic alone
        for name in self._there():
            yield name, storage

    def _there(self) -> tuple[str, ...]:
        return tuple(name for name in FILES if (self._directory / name).is_file())


def _path(name: str) -> str:
    return f"{PREFIX}/{name}"
