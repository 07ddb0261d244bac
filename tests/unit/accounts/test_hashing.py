import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from config.settings import PASSWORD_HASHERS


@pytest.fixture(autouse=True)
def hashers_of_the_product(settings):
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS


def test_password_is_hashed_by_argon2_in_one_thread():
    hashed = make_password("an orchard in late October")

    assert hashed.startswith("argon2$argon2id$v=19$m=65536,t=3,p=1$")
    assert check_password("an orchard in late October", hashed)
    assert not identify_hasher(hashed).must_update(hashed)


def test_password_from_before_is_hashed_anew_when_it_is_used():
    old = make_password("an orchard in late October", hasher="pbkdf2_sha256")
    renewed = []

    assert check_password("an orchard in late October", old, renewed.append)
    assert renewed == ["an orchard in late October"]
