"""What of the embedded server is known without starting it."""

import os

import pytest

from postgres import embedded, server_user


class TestDefaultDirectory:
    def test_ordinary_user_keeps_data_in_the_checkout(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 1000)

        directory = embedded.default_directory(tmp_path)

        assert directory == tmp_path / "var" / "postgres"

    def test_root_keeps_data_under_var_lib(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 0)

        directory = embedded.default_directory(tmp_path)

        assert str(directory.parent) == "/var/lib"
        assert directory.name.startswith("kalshi-live-postgres-")

    def test_two_checkouts_of_root_share_no_data(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 0)

        first = embedded.default_directory(tmp_path / "first")
        second = embedded.default_directory(tmp_path / "second")

        assert first != second


class TestSocketDirectory:
    @pytest.mark.parametrize("length", [80, 90, 200])
    def test_socket_path_is_never_too_long(self, tmp_path, length):
        directory = tmp_path.parents[-1] / ("d" * length)

        host = embedded.conninfo(directory)["host"]

        assert len(f"{host}/.s.PGSQL.5432") < 104

    def test_every_directory_has_a_socket_of_its_own(self, tmp_path):
        first = embedded.conninfo(tmp_path / ("d" * 100) / "first")
        second = embedded.conninfo(tmp_path / ("d" * 100) / "second")

        assert first["host"] != second["host"]

    def test_impostor_behind_the_socket_is_refused_by_libpq(self, tmp_path):
        options = embedded.database(tmp_path)["OPTIONS"]

        assert options["requirepeer"] == server_user.name()


class TestDjangoEntry:
    def test_describing_the_database_creates_nothing(self, tmp_path):
        embedded.database(tmp_path / "postgres")

        assert list(tmp_path.iterdir()) == []
