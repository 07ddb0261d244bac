import pytest

from accounts import names


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("ADA", id="case"),
        pytest.param("Ａｄａ", id="width"),
        pytest.param("ⓐⓓⓐ", id="circled"),
    ],
)
def test_name_has_one_digest_however_its_letters_are_written(written):
    assert names.digest(written) == names.digest("ada")


def test_name_has_one_digest_whether_its_accents_are_composed_or_not():
    assert names.digest("Ren\N{COMBINING ACUTE ACCENT}") == names.digest("re\u0144")


@pytest.mark.parametrize("name", ["", "\0", "\ud800", "x" * 30_000, "\ufdfa" * 1_000])
def test_digest_of_whatever_was_typed_has_64_characters(name):
    assert len(names.digest(name)) == 64


def test_name_that_is_nobodys_is_not_worked_on(monkeypatch):
    monkeypatch.setattr(names, "unicodedata", None)

    assert len(names.digest("\N{COMBINING GREEK YPOGEGRAMMENI}" * 151)) == 64


def test_digest_depends_on_the_secret_key(settings):
    digest = names.digest("ada")

    settings.SECRET_KEY = "another"

    assert names.digest("ada") != digest


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        pytest.param("Ada Ⓒ", "Ada Ⓒ", id="text"),
        pytest.param("a\0b", "a\ufffdb", id="NUL"),
        pytest.param("a\ud800b", "a?b", id="half a surrogate pair"),
    ],
)
def test_text_is_made_storable(typed, stored):
    assert names.storable(typed) == stored
