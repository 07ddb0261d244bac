"""Instants are read as Django reads them, if more quickly."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import register_tzloader

from postgres.backend import instants

pytestmark = pytest.mark.django_db

WRITTEN = [
    "2026-11-30 02:24:54.123456+00",
    "2026-11-30 02:24:54.1+00",
    "2026-11-30 02:24:54+00",
    "2026-11-30 02:24:54.000001-11:30",
    "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "1883-11-18 12:03:57+00",
]


def read(cursor, written: str) -> datetime:
    return cursor.execute("SELECT %s::timestamptz", [written]).fetchone()[0]


@pytest.fixture
def djangos_own():
    """A cursor that reads as Django would."""
    with connection.cursor() as cursor:
        register_tzloader(UTC, cursor.cursor)
        yield cursor


@pytest.mark.parametrize("written", WRITTEN)
def test_instant_is_the_one_that_django_reads(written, djangos_own):
    with connection.cursor() as cursor:
        quick = read(cursor, written)

    slow = read(djangos_own, written)
    assert (quick, quick.tzinfo) == (slow, slow.tzinfo)
    assert quick.tzinfo is UTC


@pytest.mark.parametrize("written", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC"])
def test_instant_without_a_place_in_the_calendar_is_refused_in_the_same_words(written, djangos_own):
    said = []
    for cursor in (connection.cursor(), djangos_own):
        with pytest.raises(psycopg.DataError) as refused:
            read(cursor, written)
        said.append(str(refused.value.__cause__ or refused.value))

    assert said[0] == said[1]


def test_another_style_of_dates_is_not_misread(djangos_own):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL DateStyle = 'SQL, DMY'")

        with pytest.raises(NotImplementedError, match="SQL, DMY"):
            read(cursor, "2026-10-11 00:00:00+00")


def test_no_instant_is_read_slowly(monkeypatch):
    def slowly(self, data):
        raise AssertionError(bytes(data))

    monkeypatch.setattr(instants.BaseTzLoader, "load", slowly)

    with connection.cursor() as cursor:
        assert [read(cursor, each).tzinfo for each in WRITTEN] == [UTC] * len(WRITTEN)
