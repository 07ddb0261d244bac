import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.utils import timezone

from accounts.encryption import Secret
from accounts.models import Credential


@pytest.mark.parametrize("lookup", ["exact", "contains", "in", "gt"])
def test_encrypted_field_refuses_to_be_looked_up(lookup):
    with pytest.raises(FieldError, match="encrypted"):
        Credential.objects.filter(**{f"private_key__{lookup}": Secret.seal("private")})


def test_encrypted_field_can_be_asked_whether_it_is_null():
    query = str(Credential.objects.filter(private_key__isnull=True).query)

    assert query


def test_encrypted_field_refuses_plain_text_without_repeating_it():
    field = Credential._meta.get_field("private_key")

    with pytest.raises(TypeError) as caught:
        field.get_prep_value("plain")

    assert "plain" not in str(caught.value)


def test_serialized_credential_stays_encrypted_and_comes_back():
    credential = Credential(
        account_id=1,
        environment="demo",
        api_key_id="key-1a2b",
        private_key=Secret.seal("private"),
        checked_at=timezone.now(),
    )

    written = serializers.serialize("json", [credential])
    [read] = serializers.deserialize("json", written)

    assert "private\\n" not in written
    assert Secret.seal("private").sealed.decode() not in written
    assert read.object.private_key.reveal() == "private"
