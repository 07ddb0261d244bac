import pytest

from config.database_url import database, with_way_past_pooler
from config.errors import WrongSetting


def test_nothing_is_no_database():
    assert database("DATABASE_URL", "") is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "psql", "pgsql", "POSTGRES"])
def test_url_is_read(scheme):
    entry = database("DATABASE_URL", f"{scheme}://user:pass%40word@host:5433/name?sslmode=require")

    assert entry == {
        "ENGINE": "postgres.backend",
        "NAME": "name",
        "USER": "user",
        "PASSWORD": "pass@word",
        "HOST": "host",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }


def test_option_of_django_is_none_of_libpqs():
    entry = database("DATABASE_URL", "postgres://host/name?assume_role=owner")

    assert entry["OPTIONS"] == {"assume_role": "owner"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("hunter2", id="no URL"),
        pytest.param("://user:hunter2@host/name", id="no scheme"),
        pytest.param("//user:hunter2@host/name", id="no scheme at all"),
        pytest.param("mysql://user:hunter2@host/name", id="another server"),
        pytest.param("sqlite:///hunter2", id="a file"),
        pytest.param("$hunter2", id="another variable"),
        pytest.param(" postgres://user:hunter2@host/name", id="blank in front"),
        pytest.param("postgres:user:hunter2@host/name", id="no slashes"),
    ],
)
def test_url_of_no_postgresql_server_is_refused_unseen(text):
    with pytest.raises(WrongSetting, match=r"^DATABASE_URL must begin with postgres://") as refusal:
        database("DATABASE_URL", text)

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("postgres://user:hunter2@host:54x/name", id="port in words"),
        pytest.param("postgres://user:hunter2@host:99999/name", id="port out of range"),
        pytest.param("postgres://user:hun/ter2@host/name", id="slash in the password"),
        pytest.param("postgres://user:hunter2@[::1/name", id="bracket not closed"),
        pytest.param("postgres://user:hunter2@host", id="no database"),
        pytest.param("postgres://user:hunter2@host/", id="no database's name"),
        pytest.param("postgres://", id="nothing"),
        pytest.param("postgres://user:hunter2@host/name?hunter2=1", id="unknown option"),
    ],
)
def test_url_that_cannot_be_read_is_refused_unseen(text):
    with pytest.raises(WrongSetting, match=r"^DATABASE_URL cannot be read") as refusal:
        database("DATABASE_URL", text)

    assert "hunter2" not in str(refusal.value)
    assert "ter2" not in repr(refusal.value.__cause__)
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "host", "options"),
    [
        pytest.param(
            "postgres://user:password@/name?host=/cloudsql/project:region:instance",
            *["", {"host": "/cloudsql/project:region:instance"}],
            id="a directory with the server's socket",
        ),
        pytest.param(
            "postgres://user@host/name?passfile=/etc/pgpass&sslmode=verify-full&sslrootcert=/ca.pem",
            *[
                "host",
                {"passfile": "/etc/pgpass", "sslmode": "verify-full", "sslrootcert": "/ca.pem"},
            ],
            id="TLS by an authority of one's own",
        ),
    ],
)
def test_options_of_libpq_are_passed_on(url, host, options):
    entry = database("DATABASE_URL", url)

    assert (entry["HOST"], entry["OPTIONS"]) == (host, options)


def test_way_past_a_pooler_goes_with_the_way_through_it():
    pooled, direct = {"NAME": "name", "PORT": 6432}, {"NAME": "name", "PORT": 5432}

    entry = with_way_past_pooler("DIRECT_DATABASE_URL", pooled, direct)

    assert entry == pooled | {"DIRECT": direct, "DISABLE_SERVER_SIDE_CURSORS": True}


@pytest.mark.parametrize("direct", [None, {"NAME": "name"}], ids=["none", "the same"])
def test_no_pooler_needs_no_way_past_it(direct):
    assert with_way_past_pooler("DIRECT_DATABASE_URL", {"NAME": "name"}, direct) == {"NAME": "name"}


def test_way_past_nothing_is_refused():
    with pytest.raises(WrongSetting, match=r"^DIRECT_DATABASE_URL is set without DATABASE_URL"):
        with_way_past_pooler("DIRECT_DATABASE_URL", None, {"NAME": "name"})
