"""
The variables that the settings are read from: the process's own, then those of a file.

django-environ reads the file. By itself it would log a line that it can't read, secret and all,
and pass over a file that it can't open, so both are looked at first.
"""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import environ

from config.errors import WrongSetting

# Of all that django-environ makes something of, what it reads as it was meant: a quote inside of
# quotes, a comment after a value and a value that goes on in the next line are not.
_READ_AS_MEANT = re.compile(
    r"""
    (?:export[ ])? [A-Za-z_0-9]+ =
    (?:
        (?! \s | ['"] | .*\s\# ) .*
      | ' (?! ".*"' ) [^']* '
      | " (?: [^"\\] | \\. )* "
    )
    """,
    re.VERBOSE,
)

# What may be handed over as a file: secret stores mount one, and no list of processes or of a
# container's variables shows it.
SECRETS = (
    "SECRET_KEY",
    "JWT_SECRET_KEY",
    "ENCRYPTION_SECRET_KEY",
    "DATABASE_URL",
    "DIRECT_DATABASE_URL",
    "EXCHANGE_PROXY",
    "METRICS_TOKEN",
)

Value = TypeVar("Value")


def read_file(default: Path) -> None:
    """
    Add the variables of the file that `ENV_FILE` names to the process's own, which win.

    Args:
        default: the file when it names none; need not exist.

    Raises:
        WrongSetting: the file can't be read, or a line of it.
    """
    named = os.environ.get("ENV_FILE")
    if named == "":
        raise WrongSetting("ENV_FILE is empty: name a file in it, or unset it.")
    path = Path(named or default)
    try:
        # Editors on Windows begin a file with a mark that is no part of its first name.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if named:
            raise WrongSetting(f"ENV_FILE names {str(path)!r}, which does not exist.") from None
        return
    except UnicodeDecodeError:
        raise WrongSetting(f"{str(path)!r} is not UTF-8: save it as UTF-8 text.") from None
    except OSError as error:
        raise WrongSetting(
            f"{str(path)!r} cannot be read ({error.strerror}): make it a file that this user may "
            "read, or name another in ENV_FILE."
        ) from None
    environ.Env.read_env(io.StringIO("\n".join(assignments(text, path))))


def assignments(text: str, path: Path) -> list[str]:
    """
    The lines that set a variable, without blank ones and comments.

    Args:
        path: of the file, for the error.

    Raises:
        WrongSetting: a line is neither; told by its number alone.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # No variable of a process can hold a NUL.
        if not _READ_AS_MEANT.fullmatch(line) or "\0" in line:
            raise WrongSetting(
                f"{str(path)!r}, line {number} cannot be read: write NAME=value, without blanks "
                "round the sign, quotes round all of the value or none of it, comments on lines "
                "of their own."
            )
        lines.append(line)
    return lines


def text(name: str, default: str = "") -> str:
    """
    A variable's text, as it stands; that of a secret may be in the file that `NAME_FILE` names.

    Not by django-environ: for it a text that begins with `$` names another variable, which it
    tells in its error, and a secret may begin so.

    Raises:
        WrongSetting: it is not UTF-8, is given twice, or its file can't be read.
    """
    value = os.environ.get(name, default)
    if name in SECRETS and (path := os.environ.get(f"{name}_FILE")):
        if os.environ.get(name):
            # Which of the two was meant is not for us to say.
            raise WrongSetting(f"{name} and {name}_FILE are both set: unset one of them.")
        return _text_of_file(f"{name}_FILE", Path(path))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WrongSetting(f"{name} is not UTF-8: set it anew.") from None
    return value


def _text_of_file(name: str, path: Path) -> str:
    try:
        # Whoever writes a file by hand ends its line; no secret ends so.
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongSetting(f"{name} names {str(path)!r}, which is not UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WrongSetting(
            f"{name} names {str(path)!r}, which cannot be read ({reason}): make it a file that "
            "this user may read."
        ) from None
    if not text:
        raise WrongSetting(f"{name} names {str(path)!r}, which is empty.")
    return text


def setting(name: str, rule: Callable[[str, str], Value], default: str = "") -> Value:
    """
    What a rule makes of a variable.

    Args:
        rule: takes the name, for its error, and the text.
        default: the text when the variable is not set.

    Raises:
        WrongSetting: as the rule does.
    """
    return rule(name, text(name, default))
