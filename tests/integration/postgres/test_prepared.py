"""What is asked again and again is planned once, where the session is one's own."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from postgres.patience import WEB
from postgres.prepared import PREPARED_AFTER, prepared_cursor

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = "SELECT $1::bigint + 1, '100 %s'"


def ask(number: int) -> tuple[int, str]:
    with prepared_cursor(connection) as cursor:
        cursor.execute(STATEMENT, [number])
        return cursor.fetchone()


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.fixture
def session() -> Iterator[None]:
    """One that was just opened, and is given up afterwards."""
    connection.close()
    yield
    connection.close()


@pytest.mark.usefixtures("session")
def test_statement_is_prepared_once_and_answers_as_before():
    answers = [ask(number) for number in range(PREPARED_AFTER + 3)]

    assert answers == [(number + 1, "100 %s") for number in range(PREPARED_AFTER + 3)]
    assert prepared() == [STATEMENT]


@pytest.mark.usefixtures("session")
def test_new_session_prepares_it_anew():
    for number in range(PREPARED_AFTER + 1):
        ask(number)
    connection.close()

    assert ask(1) == (2, "100 %s")
    assert prepared() == []


@pytest.mark.usefixtures("session")
def test_ordinary_statements_are_not_prepared():
    ask(1)
    with connection.cursor() as cursor:
        for _ in range(PREPARED_AFTER + 3):
            cursor.execute("SELECT 'a row that is long'::text")

    assert prepared() == []
    # Nor kept by psycopg, which would count them.
    assert b"a row" not in b"".join(query for query, _ in connection.connection._prepared._counts)


def test_shared_session_is_left_as_it_was(session, monkeypatch):
    """Behind a pooler the next one to ask may meet another."""
    monkeypatch.setitem(connection.settings_dict, "DIRECT", {})
    monkeypatch.setattr("postgres.patience._of_process", WEB)

    for number in range(PREPARED_AFTER + 3):
        assert ask(number)[0] == number + 1

    assert prepared() == []


def test_it_is_logged_like_any_other():
    with CaptureQueriesContext(connection) as asked:
        ask(1)

    assert [query["sql"] for query in asked] == [STATEMENT]


def test_trouble_is_django_s():
    with prepared_cursor(connection) as cursor:
        cursor.execute("SELECT 1", [])
        connection.connection.pgconn.finish()
        with pytest.raises(OperationalError):
            cursor.execute("SELECT 1", [])
    connection.close()


@pytest.mark.usefixtures("session")
def test_session_whose_statement_finds_another_type_of_column_is_given_up():
    def ask_for_it() -> int:
        with prepared_cursor(connection) as cursor:
            cursor.execute("SELECT amount FROM widened", [])
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE widened AS SELECT 1::integer AS amount")
    assert [ask_for_it() for _ in range(PREPARED_AFTER + 2)] == [1] * (PREPARED_AFTER + 2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE widened ALTER COLUMN amount TYPE bigint")

    with pytest.raises(OperationalError, match="must not change result type"):
        ask_for_it()

    assert not connection.is_usable()
