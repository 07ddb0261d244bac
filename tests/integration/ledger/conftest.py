import pytest

from accounts.models import Account
from tests.integration.visitors import Visitor, key_session, make_account, visitor_with


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def owner(account: Account) -> Visitor:
    """Who has a session of the account's key."""
    return visitor_with(key_session(account)[1])
