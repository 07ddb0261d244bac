import logging
import os
from pathlib import Path

import pytest

from config.errors import WrongSetting
from config.variables import assignments, read_file, setting, text


@pytest.fixture
def environment(monkeypatch) -> dict[str, str]:
    """A process's environment with nothing in it."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr("environ.Env.ENVIRON", environment)
    return environment


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("export NAME=value", "value"),
        ("NAME=", ""),
        ("NAME=a=b", "a=b"),
        ("NAME=a#b", "a#b"),
        ("NAME=#b", "#b"),
        ("NAME=two words", "two words"),
        ("NAME=it's", "it's"),
        ("NAME='two words'", "two words"),
        ("NAME='a # b'", "a # b"),
        ('NAME=" a # b "', " a # b "),
        ('NAME=""', ""),
        (r'NAME="a\"b"', 'a"b'),
        (r'NAME="a\\b"', r"a\b"),
        ('NAME="it\'s"', "it's"),
        ("NAME=$value", "$value"),
        (r"NAME=a\b", r"a\b"),
        ("NAME=schön", "schön"),
    ],
)
def test_line_is_read_as_it_was_meant(line, value, file, environment):
    file.write_text(f"# A comment\n\n  \n  # another\n{line}\n", encoding="utf-8")

    read_file(file)

    assert environment["NAME"] == value


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("hunter2", id="no name"),
        pytest.param("NAME hunter2", id="no sign"),
        pytest.param("NAME = hunter2", id="blanks round the sign"),
        pytest.param("NAME: hunter2", id="YAML"),
        pytest.param("=hunter2", id="empty name"),
        pytest.param("MY-NAME=hunter2", id="hyphen in the name"),
        pytest.param(" NAME=hunter2", id="indented"),
        pytest.param("export  NAME=hunter2", id="two blanks"),
        pytest.param("NAME= hunter2", id="blank before the value"),
        pytest.param("NAME=hunter2 # mine", id="comment behind"),
        pytest.param("NAME='hunter2' # mine", id="comment behind quotes"),
        pytest.param('NAME="hunter2" # mine', id="comment behind double quotes"),
        pytest.param("NAME='hunter2", id="quote not closed"),
        pytest.param('NAME="hunter2', id="double quote not closed"),
        pytest.param("NAME='", id="a quote alone"),
        pytest.param("NAME=\"hunter2'", id="two kinds of quotes"),
        pytest.param("NAME='\"hunter2\"'", id="quotes in quotes"),
        pytest.param("NAME='hunter2'x", id="more behind quotes"),
        pytest.param("NAME='hun'ter2'", id="quote in quotes"),
        pytest.param(r'NAME="hunter2\"', id="last quote escaped"),
        pytest.param("NAME=hunter2\0", id="NUL"),
    ],
)
def test_line_that_would_be_misread_is_told_by_its_number_alone(
    line, file, environment, caplog, capfd
):
    file.write_text(f"OTHER=1\n\n{line}\n")
    caplog.set_level(logging.DEBUG)

    with pytest.raises(WrongSetting, match="line 3 cannot be read") as refusal:
        read_file(file)

    assert str(file) in str(refusal.value)
    assert "hunter2" not in str(refusal.value) + caplog.text + "".join(capfd.readouterr())
    assert "OTHER" not in environment


def test_value_that_goes_on_in_the_next_line_is_refused_where_it_begins():
    with pytest.raises(WrongSetting, match="line 2 cannot be read"):
        assignments('A=1\nKEY="-----BEGIN\nxyz"\n', Path(".env"))


def test_last_of_two_lines_counts(file, environment):
    file.write_text("NAME=one\nNAME=two\n")

    read_file(file)

    assert environment["NAME"] == "two"


def test_processs_own_variable_wins(file, environment):
    file.write_text("NAME=of the file\n")
    environment["NAME"] = "of the process"

    read_file(file)

    assert environment["NAME"] == "of the process"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfNAME=value\r\n", b"NAME=value"])
def test_file_of_another_editor_is_read(content, file, environment):
    file.write_bytes(content)

    read_file(file)

    assert environment["NAME"] == "value"


def test_file_need_not_exist(file, environment):
    read_file(file)

    assert "NAME" not in environment


def test_file_that_was_named_must_exist(file, tmp_path, environment):
    environment["ENV_FILE"] = str(tmp_path / "other")

    with pytest.raises(WrongSetting, match=r"^ENV_FILE names .*other', which does not exist"):
        read_file(file)


def test_named_file_is_read_instead(file, tmp_path, environment):
    file.write_text("NAME=default\n")
    (tmp_path / "other").write_text("NAME=other\n")
    environment["ENV_FILE"] = str(tmp_path / "other")

    read_file(file)

    assert environment["NAME"] == "other"


def test_file_without_a_name_is_refused(file, environment):
    environment["ENV_FILE"] = ""

    with pytest.raises(WrongSetting, match=r"^ENV_FILE is empty"):
        read_file(file)


def test_null_device_is_an_empty_file(file, environment):
    file.write_text("NAME=default\n")
    environment["ENV_FILE"] = os.devnull

    read_file(file)

    assert "NAME" not in environment


def test_file_in_another_encoding_is_refused(file, environment):
    file.write_bytes("NAME=hünter2\n".encode("latin-1"))

    with pytest.raises(WrongSetting, match="is not UTF-8") as refusal:
        read_file(file)

    assert "nter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_directory_instead_of_a_file_is_refused(file, environment):
    file.mkdir()

    with pytest.raises(WrongSetting, match=r"\.env' cannot be read \(Is a directory\)"):
        read_file(file)


def test_file_of_others_is_refused(file, environment, monkeypatch):
    # Root could read it all the same.
    def read_text(self, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", read_text)

    with pytest.raises(WrongSetting, match=r"\.env' cannot be read \(Permission denied\)"):
        read_file(file)


def test_name_of_a_file_stays_in_one_line(tmp_path, environment):
    environment["ENV_FILE"] = str(tmp_path / "two\nlines")

    with pytest.raises(WrongSetting) as refusal:
        read_file(tmp_path / ".env")

    assert "\n" not in str(refusal.value)


def test_variable_is_taken_as_it_stands(environment):
    environment["NAME"] = "$OTHER"
    environment["OTHER"] = "hunter2"

    assert text("NAME") == "$OTHER"


def test_variable_that_is_not_set_has_its_default(environment):
    assert (text("NAME"), text("NAME", "default")) == ("", "default")


def test_variable_that_is_set_to_nothing_has_no_default(environment):
    environment["NAME"] = ""

    assert text("NAME", "default") == ""


def test_variable_that_is_no_text_is_refused(environment):
    environment["NAME"] = "hunter2\udcff"

    with pytest.raises(WrongSetting, match=r"^NAME is not UTF-8") as refusal:
        text("NAME")

    assert refusal.value.__suppress_context__


def test_rule_is_told_the_variables_name_and_text(environment):
    environment["NAME"] = "value"

    assert setting("NAME", lambda name, text: (name, text)) == ("NAME", "value")


class TestSecretInAFile:
    @pytest.fixture
    def secret(self, file, environment) -> Path:
        environment["SECRET_KEY_FILE"] = str(file)
        return file

    @pytest.mark.parametrize("content", ["hunter2", "hunter2\n", "hunter2\r\n"])
    def test_is_read_without_the_end_of_its_line(self, content, secret):
        secret.write_bytes(content.encode())

        assert text("SECRET_KEY") == "hunter2"

    def test_empty_variable_beside_it_means_nothing(self, secret, environment):
        secret.write_text("hunter2")
        environment["SECRET_KEY"] = ""

        assert text("SECRET_KEY") == "hunter2"

    def test_is_not_chosen_by_us_where_there_is_a_variable_too(self, secret, environment):
        secret.write_text("hunter2")
        environment["SECRET_KEY"] = "hunter3"

        with pytest.raises(WrongSetting) as refusal:
            text("SECRET_KEY")

        assert (
            str(refusal.value) == "SECRET_KEY and SECRET_KEY_FILE are both set: unset one of them."
        )

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            pytest.param(None, "cannot be read", id="missing"),
            pytest.param(b"", "is empty", id="empty"),
            pytest.param(b"\n", "is empty", id="blank"),
            pytest.param(b"hunter2\xff", "is not UTF-8", id="not UTF-8"),
        ],
    )
    def test_unreadable_is_told_by_the_files_name_alone(self, content, reason, secret):
        if content is not None:
            secret.write_bytes(content)

        with pytest.raises(WrongSetting, match=rf"^SECRET_KEY_FILE names .* {reason}") as refusal:
            text("SECRET_KEY")

        assert "hunter2" not in str(refusal.value)

    def test_path_with_a_nul_is_told(self, environment):
        environment["SECRET_KEY_FILE"] = "a\0b"

        with pytest.raises(WrongSetting, match=r"^SECRET_KEY_FILE names"):
            text("SECRET_KEY")

    def test_of_a_setting_that_is_no_secret_is_not_looked_for(self, secret, environment):
        environment["PORT_FILE"] = str(secret)

        assert text("PORT", "8000") == "8000"
