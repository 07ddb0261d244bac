"""
The product as somebody installed it a while ago, from a repository that has moved on since.
"""

import os
import subprocess

from tests.anywhere import written
from tests.anywhere.places import PROJECT, Places

BRANCH = "main"
# A version to upgrade from; else the one before the tables last changed.
FROM = os.environ.get("UPGRADE_FROM", "")


class NoHistory(Exception):
    """There is no older version here to upgrade from."""


async def install(places: Places) -> str:
    """
    Install the older version by the written commands; what it is called.

    Raises:
        NoHistory: the clone is shallow.
        CommandsFailed: as they say.
    """
    version = FROM or _before_the_last_migration()
    _git("clone", "--quiet", "--bare", str(PROJECT), str(places.origin_of_code))
    _publish(places, version)
    await written.run("install", places=places)
    return _git("log", "-1", "--format=%h of %cs", version)


def publish_the_newest(places: Places) -> None:
    """Let the installation's repository have what is committed here."""
    _publish(places, _git("rev-parse", "HEAD"))


def is_the_newest(places: Places) -> bool:
    """Whether that is what is installed."""
    return _git("rev-parse", "HEAD") == _git("-C", str(places.installed), "rev-parse", "HEAD")


def _publish(places: Places, version: str) -> None:
    repository = f"--git-dir={places.origin_of_code}"
    _git(repository, "update-ref", f"refs/heads/{BRANCH}", version)
    _git(repository, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")


def _before_the_last_migration() -> str:
    changed = _git("log", "-1", "--format=%H", "--diff-filter=A", "--", "*/migrations/0*.py")
    parents = _git("log", "-1", "--format=%P", changed) if changed else ""
    if not parents:
        raise NoHistory("There is no older version in this clone: git fetch --unshallow.")
    return parents.split()[0]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise written.CommandsFailed(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
