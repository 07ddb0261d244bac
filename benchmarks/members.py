"""Many members of one exchange, and the product's accounts for them."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from accounts import sessions
from accounts.devices import Device
from accounts.encryption import Secret
from accounts.models import Account, Credential, User
from benchmarks.holdings import POSITIONS
from sandbox import account as exchange_account
from sandbox import keys
from sandbox.keys import Credentials
from sandbox.server import Sandbox


@dataclass(slots=True)
class Member:
    """
    A member of the exchange who uses the product.

    Attributes:
        account_id: the product's account.
    """

    account: exchange_account.Account
    credentials: Credentials
    tickers: list[str]
    account_id: int = 0


def open_members(sandbox: Sandbox, count: int, tickers: list[str]) -> list[Member]:
    """So many members with five positions each, YES and NO in turn, and the last one's market."""
    *shared, own = tickers
    members = []
    for number in range(count):
        first = number * POSITIONS
        held = [shared[(first + offset) % len(shared)] for offset in range(POSITIONS)]
        if number == count - 1:
            # Nobody else is concerned by what happens there.
            held[-1] = own
        member = Member(sandbox.open_account(), keys.new_ed25519(), held)
        sandbox.add_key(member.credentials, account=member.account)
        for offset, ticker in enumerate(held):
            sandbox.exchange.hold(
                member.account,
                ticker,
                "yes" if offset % 2 else "no",
                Decimal(1 + number),
                Decimal("0.30"),
                sandbox.market_clock.now(),
            )
        members.append(member)
    return members


def store(members: list[Member]) -> None:
    """Give each the account and the credential that a sign-in would have made."""
    for member in members:
        member.account_id = new_account()
        Credential.objects.create(
            account_id=member.account_id,
            environment="sandbox",
            api_key_id=member.credentials.api_key_id,
            private_key=Secret.seal(member.credentials.private_key),
            scopes=["read"],
            checked_at=timezone.now(),
        )


def spoil_key(member: Member) -> None:
    """What is stored as the member's key is none."""
    Credential.objects.filter(account=member.account_id).update(private_key=Secret.seal("no key"))


def new_account() -> int:
    """An account without a key; its id."""
    owner = User.objects.create()
    return Account.objects.create(
        owner=owner, name="sandbox", environment="sandbox", subaccount=0
    ).pk


def cookie_of(member: Member) -> str:
    """The cookie of a new session."""
    account = Account.objects.select_related("owner").get(pk=member.account_id)
    _, token = sessions.show_key(account, device=Device())
    return f"{sessions.COOKIE}={token}"
