import pickle

import pytest
from cryptography.fernet import Fernet

from accounts.encryption import Secret, SecretLost

OLD_KEY = Fernet.generate_key().decode()
NEW_KEY = Fernet.generate_key().decode()


def test_sealed_text_is_revealed_again():
    secret = Secret.seal("prívate\nkey")

    assert secret.reveal() == "prívate\nkey"


def test_same_text_is_sealed_to_other_bytes_each_time():
    first, second = Secret.seal("private"), Secret.seal("private")

    assert first.sealed != second.sealed


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "%r".__mod__, pickle.dumps])
def test_secret_does_not_show_its_text(shown):
    secret = Secret.seal("private")

    assert "private" not in str(shown(secret))


def test_secret_sealed_with_an_older_key_opens_while_that_key_is_listed(settings):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    secret = Secret.seal("private")

    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    assert secret.reveal() == "private"


def test_lost_key_is_told_by_the_name_of_the_setting(settings):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    secret = Secret.seal("private")
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY]

    with pytest.raises(SecretLost, match="ENCRYPTION_SECRET_KEY") as caught:
        secret.reveal()

    assert secret.sealed.decode() not in str(caught.value)
    assert NEW_KEY not in str(caught.value)


def test_resealed_secret_opens_with_the_newest_key_alone(settings):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    secret = Secret.seal("private")
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    resealed = secret.resealed()

    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY]
    assert resealed.reveal() == "private"


def test_secret_of_a_lost_key_is_not_resealed(settings):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    secret = Secret.seal("private")
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY]

    with pytest.raises(SecretLost):
        secret.resealed()
