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
