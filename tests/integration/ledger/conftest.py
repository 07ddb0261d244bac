import pytest

from accounts.models import Account, User
from tests.integration.visitors import (
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    visitor_with,
)


@pytest.fixture
def owner(db) -> User:
    """Alice, who has two accounts."""
    return make_user("alice", "a long password")


@pytest.fixture
def account(owner: User) -> Account:
    return make_account(owner)


@pytest.fixture
def second(owner: User, account: Account) -> Account:
    return make_account(owner, subaccount=1)


@pytest.fixture
def alice(owner: User, account: Account) -> Visitor:
    """In a session of the person, so that she sees all that is hers."""
    return visitor_with(person_session(owner)[1])


@pytest.fixture
def charlie(db) -> Visitor:
    """Somebody with an account of his own."""
    return visitor_with(key_session(make_account())[1])
