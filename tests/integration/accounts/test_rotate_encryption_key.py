import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts.encryption import Secret
from accounts.models import Credential
from tests.integration.accounts.conftest import make_credential
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db

OLD_KEY, NEW_KEY, LOST_KEY = (Fernet.generate_key().decode() for _ in range(3))


def test_rotated_credentials_need_the_newest_key_only(settings, capsys):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    make_credential(make_account(), api_key_id="a", private_key=Secret.seal("first"))
    make_credential(make_account(), api_key_id="b", private_key=Secret.seal("second"))
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    call_command("rotate_encryption_key")

    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY]
    stored = Credential.objects.order_by("api_key_id")
    assert [credential.private_key.reveal() for credential in stored] == ["first", "second"]
    assert capsys.readouterr().out == "Re-encrypted 2 credentials.\n"


def test_rotation_names_what_no_key_opens_and_does_the_others(settings):
    settings.ENCRYPTION_SECRET_KEY = [LOST_KEY]
    lost = make_credential(make_account(), api_key_id="lost-1a2b")
    garbage = make_credential(
        make_account(), api_key_id="garbage-3c4d", private_key=Secret(b"\x80 no token")
    )
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    good = make_credential(make_account(), api_key_id="good", private_key=Secret.seal("good"))
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    with pytest.raises(CommandError, match=r"Re-encrypted 1 credential\. .*put the lost") as caught:
        call_command("rotate_encryption_key")

    named = f"{lost.pk} (demo key …1a2b), {garbage.pk} (demo key …3c4d)"
    assert named in str(caught.value)
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY]
    good.refresh_from_db()
    assert good.private_key.reveal() == "good"
    lost.refresh_from_db()
    settings.ENCRYPTION_SECRET_KEY = [LOST_KEY]
    assert lost.private_key.reveal() == "a private key"


def test_rotation_takes_what_is_no_key_along(settings, capsys):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    no_text = Secret(Fernet(OLD_KEY).encrypt(b"\xff\xfe"))
    make_credential(make_account(), api_key_id="no text", private_key=no_text)
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    call_command("rotate_encryption_key")

    stored = Credential.objects.get()
    assert Fernet(NEW_KEY).decrypt(stored.private_key.sealed) == b"\xff\xfe"
    assert capsys.readouterr().out == "Re-encrypted 1 credential.\n"


def test_rotation_with_one_key_seals_anew_and_says_that_no_key_may_go(settings, capsys):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    stored = make_credential(make_account(), api_key_id="a", private_key=Secret.seal("first"))

    call_command("rotate_encryption_key")

    stored.refresh_from_db()
    assert stored.private_key.reveal() == "first"
    said = capsys.readouterr()
    assert said.out == "Re-encrypted 1 credential.\n"
    assert "holds one key, so it is still the same" in said.err


def test_rotation_with_the_new_key_behind_the_old_is_none(settings):
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    stored = make_credential(make_account(), api_key_id="a", private_key=Secret.seal("first"))
    sealed = stored.private_key.sealed
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY, NEW_KEY]

    with pytest.raises(CommandError, match=r"already, so nothing was changed.*docker compose up"):
        call_command("rotate_encryption_key")

    stored.refresh_from_db()
    assert stored.private_key.sealed == sealed


def test_rotation_with_nothing_stored_says_so(capsys):
    call_command("rotate_encryption_key")

    assert capsys.readouterr().out == "Re-encrypted 0 credentials.\n"
