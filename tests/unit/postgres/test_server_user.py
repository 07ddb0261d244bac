"""Who the embedded server runs as, without starting it."""

import os
import pwd
import shutil

import pytest

from postgres import server_user
from postgres.errors import EmbeddedServerError


class TestAccount:
    @pytest.fixture
    def useradd(self, tmp_path, monkeypatch):
        """Root, on a machine where nobody runs the server yet; what useradd does there."""

        def does(script: str) -> None:
            program = tmp_path / "useradd"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
            monkeypatch.setattr(shutil, "which", lambda name, path: str(program))

        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(server_user, "SYSTEM_USER", "nobody-is-called-so")
        return does

    def test_useradd_that_fails_is_told_with_what_to_do(self, useradd):
        useradd("echo 'cannot lock /etc/passwd' >&2; exit 1")

        with pytest.raises(EmbeddedServerError) as told:
            server_user.account(create=True)

        assert "cannot lock /etc/passwd" in str(told.value)
        assert "DATABASE_URL" in str(told.value)

    def test_useradd_that_comes_second_is_no_failure(self, useradd, monkeypatch):
        useradd("echo 'user exists' >&2; exit 9")
        known = iter([KeyError, pwd.getpwuid(0)])

        def getpwnam(name: str) -> pwd.struct_passwd:
            found = next(known)
            if found is KeyError:
                raise KeyError(name)
            return found

        monkeypatch.setattr(pwd, "getpwnam", getpwnam)

        assert server_user.account(create=True) == pwd.getpwuid(0)


class TestMakePrivate:
    @pytest.fixture
    def owner(self):
        return pwd.getpwuid(os.geteuid())

    def test_directory_is_made_for_its_owner_alone(self, tmp_path, owner):
        server_user.make_private(tmp_path / "run", owner)

        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700

    def test_directory_of_ours_is_made_private_again(self, tmp_path, owner):
        (tmp_path / "run").mkdir(mode=0o755)

        server_user.make_private(tmp_path / "run", owner)

        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("what", ["link", "dangling link", "file"])
    def test_what_is_no_directory_is_left_as_it_is(self, tmp_path, owner, what):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o755)
        path = tmp_path / "run"
        match what:
            case "link":
                path.symlink_to(elsewhere)
            case "dangling link":
                path.symlink_to(tmp_path / "nowhere")
            case _:
                path.touch()

        with pytest.raises(EmbeddedServerError, match="another user's"):
            server_user.make_private(path, owner)

        assert elsewhere.stat().st_mode & 0o777 == 0o755

    @pytest.mark.parametrize("name", ["chown", "fchown"])
    def test_link_that_takes_its_place_meanwhile_is_not_followed(
        self, tmp_path, owner, monkeypatch, name
    ):
        # Who the server runs as may own the directory, and put a link there at any time.
        elsewhere, path = tmp_path / "elsewhere", tmp_path / "run"
        elsewhere.mkdir(mode=0o755)
        path.mkdir()
        change_owner = getattr(os, name)

        def changed_meanwhile(what: object, user: int, group: int) -> None:
            path.rename(tmp_path / "moved")
            path.symlink_to(elsewhere)
            change_owner(what, user, group)

        monkeypatch.setattr(os, name, changed_meanwhile)

        server_user.make_private(path, owner)

        assert elsewhere.stat().st_mode & 0o777 == 0o755
