"""What the documents name is there: files, targets of make, commands, settings, tests."""

import re

import pytest

from tests import reading

DOCUMENTS = [each for each in reading.documents() if each not in reading.GENERATED]
# Not what begins with a slash: that is an address.
FILE = re.compile(r"^[\w.][\w./-]*\.(?:py|js|css|html|toml|yml|md|json|in)$")
# Made while the product runs, or a reader's own.
NOT_OURS = {
    "var/sandbox/credentials.json",
    "path/to/mine.toml",
}
SOURCES = {
    path: reading.text(path) for path in reading.files() if re.match(r"tests/.*\.(py|js)$", path)
}
FILES = set(reading.files())
PACKAGES = "accounts|config|kalshi|ledger|positions|postgres|sandbox|streaming"
TARGETS = set(re.findall(r"^([\w./-]+):", reading.text("Makefile"), re.MULTILINE))
COMMANDS = {
    re.sub(r".*/|\.py$", "", path) for path in reading.files() if "/management/commands/" in path
} | {"migrate", "shell", "check", "createsuperuser", "collectstatic", "makemigrations"}
SETTINGS = "".join(
    reading.text(path) for path in (".env.example", "config/settings.py", "docker-compose.yml")
)


def parts(document: str) -> list[str]:
    """What stands between backticks, and the beginnings of lines that list files."""
    text = reading.text(document)
    listed = re.findall(r"^ {4,}([\w./]+\.(?:py|js))(?=[, ]|$)", text, re.MULTILINE)
    return reading.code(text) + listed


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_named_is_there(document):
    named = {part.partition("::")[0] for part in parts(document)}
    missing = {name for name in named if FILE.match(name) and not reading.is_there(name)}

    assert missing - NOT_OURS == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_of_make_is_there(document):
    text = reading.text(document)
    named = re.findall(r"(?:`|^ +)make ([a-z][\w./-]*)", text, re.MULTILINE)

    assert set(named) <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_is_there(document):
    assert set(re.findall(r"manage\.py ([a-z_]+)", reading.text(document))) <= COMMANDS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_is_there(document):
    named = {part for part in parts(document) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", part)}

    assert {name for name in named if name not in SETTINGS} - NO_SETTINGS == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_named_is_there(document):
    missing = []
    for part in parts(document):
        path, _, name = part.rpartition("::")
        # An ellipsis stands for the rest of a long name.
        if not re.fullmatch(r"(test_|Test)\w+…?", name):
            continue
        begins = rf"(?:def|class) {name.removesuffix('…')}" + ("" if name.endswith("…") else r"\b")
        found = [each for each, text in SOURCES.items() if re.search(begins, text)]
        if not any(each == path or each.endswith(f"/{path}") or not path for each in found):
            missing.append(part)

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_is_there(document):
    named = {part for part in parts(document) if re.fullmatch(rf"(?:{PACKAGES})(\.\w+)+", part)}

    assert {name for name in named if not is_defined(name)} - NO_MODULES == set()


def is_defined(name: str) -> bool:
    """Whether that is a module, or something in one."""
    path, _, last = name.replace(".", "/").rpartition("/")
    if any(each.startswith(f"{path}/{last}/") or each == f"{path}/{last}.py" for each in FILES):
        return True
    return f"{path}.py" in FILES and last in reading.names(f"{path}.py")


# Models as Django names them, and a variable of an example.
NO_MODULES = {"accounts.User", "accounts.Account", "sandbox.skip"}
# Of the environment, of libraries, or a constant of the code.
NO_SETTINGS = {
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "FORWARDED_ALLOW_IPS"),
    *("KALSHI_DEMO_KEY_ID", "KALSHI_DEMO_PRIVATE_KEY_FILE"),
    "OUR_PRICES",
}
