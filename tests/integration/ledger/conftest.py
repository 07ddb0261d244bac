from collections.abc import AsyncIterator

import pytest

from accounts.models import Account, User
from ledger.models import Followed
from postgres.threads import DatabaseThread
from tests.integration.visitors import (
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    visitor_with,
)
from tests.told import NOON


@pytest.fixture
def owner(db) -> User:
    """Alice, who has two accounts."""
    return make_user("alice", "a long password")


def followed(account: Account) -> Account:
    """All that can be read of its past has been."""
    Followed.objects.create(account=account, until=NOON)
    return account


@pytest.fixture
def account(owner: User) -> Account:
    return followed(make_account(owner))


@pytest.fixture
def second(owner: User, account: Account) -> Account:
    return followed(make_account(owner, subaccount=1))


@pytest.fixture
async def threads(transactional_db) -> AsyncIterator[DatabaseThread]:
    """Where the ORM runs for asynchronous tests."""
    thread = DatabaseThread()
    yield thread
    await thread.close()


@pytest.fixture
def alice(owner: User, account: Account) -> Visitor:
    """In a session of the person, so that she sees all that is hers."""
    return visitor_with(person_session(owner)[1])


@pytest.fixture
def charlie(db) -> Visitor:
    """Somebody with an account of his own."""
    return visitor_with(key_session(make_account())[1])
