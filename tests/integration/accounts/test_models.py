import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import AccountKey
from tests.integration.accounts.conftest import make_credential
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db


def test_environment_of_an_account_is_a_known_one():
    with pytest.raises(IntegrityError, match="account_environment_is_known"):
        make_account(environment="moon")


def test_key_that_lists_no_keys_has_one_account():
    make_account(sole_key_id="silent")

    with pytest.raises(IntegrityError, match="key_that_lists_no_keys_has_one_account"):
        make_account(sole_key_id="silent")


def test_key_that_lists_no_keys_may_have_an_account_in_each_environment():
    demo = make_account(sole_key_id="silent", environment="demo")
    production = make_account(sole_key_id="silent", environment="production")

    assert demo != production


def test_listed_key_belongs_to_one_account_per_subaccount():
    listed = {"environment": "demo", "subaccount": 0, "api_key_id": "listed"}
    AccountKey.objects.create(account=make_account(), **listed)
    AccountKey.objects.create(account=make_account(subaccount=3), **listed | {"subaccount": 3})

    with pytest.raises(IntegrityError, match="listed_key_belongs_to_one_account_per_subaccount"):
        AccountKey.objects.create(account=make_account(), **listed)


def test_key_is_stored_once():
    make_credential(make_account(), api_key_id="key")

    with pytest.raises(IntegrityError, match="key_is_stored_once"):
        make_credential(make_account(subaccount=3), api_key_id="key")


def test_environment_of_a_credential_is_a_known_one():
    with pytest.raises(IntegrityError, match="credential_environment_is_known"):
        make_credential(environment="moon")


def test_credential_is_refused_since_a_time():
    with pytest.raises(IntegrityError, match="credential_is_refused_since_a_time"):
        make_credential(status="refused")


def test_usable_credential_is_refused_since_no_time():
    with pytest.raises(IntegrityError, match="credential_is_refused_since_a_time"):
        make_credential(status="usable", refused_at=timezone.now())
