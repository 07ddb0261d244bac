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


def test_rotation_with_a_lost_key_changes_nothing_and_names_the_credential(settings):
    settings.ENCRYPTION_SECRET_KEY = [LOST_KEY]
    lost = make_credential(make_account(), api_key_id="lost-1a2b")
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    good = make_credential(make_account(), api_key_id="good", private_key=Secret.seal("good"))
    settings.ENCRYPTION_SECRET_KEY = [NEW_KEY, OLD_KEY]

    with pytest.raises(CommandError, match="ENCRYPTION_SECRET_KEY") as caught:
        call_command("rotate_encryption_key")

    assert f"{lost.pk} (demo key …1a2b)" in str(caught.value)
    settings.ENCRYPTION_SECRET_KEY = [OLD_KEY]
    good.refresh_from_db()
    assert good.private_key.reveal() == "good"


def test_rotation_with_nothing_stored_says_so(capsys):
    call_command("rotate_encryption_key")

    assert capsys.readouterr().out == "Re-encrypted 0 credentials.\n"
