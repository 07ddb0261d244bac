"""The cache's rows: read as the product's readers do, written as a worker does."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from accounts.encryption import Secret
from accounts.models import Credential
from positions import models, pnl, reading, workers
from positions.connection import ConnectionState
from positions.pnl import Holding, MarketState, Quote, Sums
from positions.portfolio import Changes, Closed, MarketFacts, Position
from positions.taking_over import open_stream
from positions.writing import StreamWriter
from sandbox.server import Sandbox
from tests.integration import visitors

FACTS = MarketFacts("EVENT", "SERIES", "A title", "Yes", "No", None)


def make_account() -> int:
    """An account without a key; its id."""
    return visitors.make_account(environment="sandbox").pk


def make_credential(
    account_id: int, sandbox: Sandbox, *, api_key_id: str = "", private_key: str = ""
) -> int:
    """A stored key of the account, the sandbox's own unless another is given; its id."""
    return Credential.objects.create(
        account_id=account_id,
        environment="sandbox",
        api_key_id=api_key_id or sandbox.key_id,
        private_key=Secret.seal(private_key or sandbox.private_key),
        scopes=["read"],
        checked_at=timezone.now(),
    ).pk


def stream_of(account_id: int) -> models.AccountStream:
    """The account's state and sums as last written; unsaved when nothing was."""
    row = models.AccountStream.objects.filter(pk=account_id).first()
    return row or models.AccountStream(status="connecting")


def open_positions(account_id: int) -> dict[str, models.Position]:
    """What is held, by ticker."""
    return {row.market.ticker: row for row in models.Position.objects.of(account_id).open()}


def quantities(account_id: int) -> dict[str, Decimal]:
    """What is held of each market."""
    return {ticker: row.quantity for ticker, row in open_positions(account_id).items()}


class Worker:
    """Writes an account's rows as a worker does, whenever a test tells it to."""

    def __init__(self, account_id: int) -> None:
        self.id: UUID = uuid4()
        self.account_id = account_id
        self.beat()
        self._writer: StreamWriter = open_stream(account_id, self.id, "bid").writer
        self._described: set[str] = set()
        self._reconciled_at = timezone.now()

    def beat(self) -> None:
        """Be alive."""
        workers.beat(self.id)

    def write(
        self,
        bids: Mapping[str, str] | None = None,
        *,
        closed: Iterable[str] = (),
        status: ConnectionState | None = None,
    ) -> int:
        """Five contracts of each market at its bid; the new seq."""
        positions = tuple(_position(ticker, Decimal(bid)) for ticker, bid in (bids or {}).items())
        changes = Changes(
            positions=positions,
            closed=tuple(Closed(ticker, "closed", Decimal(1)) for ticker in closed),
            markets=frozenset(bids or ()) - self._described,
            # Not those of what is held: but without sums no doorbell carries anything.
            sums=Sums(),
            cash=None,
            reconciled_at=self._reconciled_at,
            left_out=(),
        )
        now = timezone.now()
        seq = self._writer.write(changes, status or ConnectionState("live", since=now), now)
        self._described |= changes.markets
        return seq


def write_unannounced(account_id: int, ticker: str, bid: str) -> int:
    """Change a position as if its announcement were lost; the new seq."""
    stream = models.AccountStream.objects.get(pk=account_id)
    stream.seq += 1
    stream.save(update_fields=["seq"])
    models.Position.objects.filter(account=account_id, market__ticker=ticker).update(
        yes_bid=Decimal(bid), seq=stream.seq
    )
    return stream.seq


def bids(account_id: int) -> dict[str, Decimal | None]:
    """The bids of what is held, as a page that reads everything anew would see them."""
    return {row.market.ticker: row.yes_bid for row in reading.read(account_id).positions}


def _position(ticker: str, bid: Decimal) -> Position:
    holding = Holding(Decimal(5), Decimal(2), Decimal(0), Decimal(0))
    quote = Quote(bid, bid + Decimal("0.01"), bid, timezone.now())
    state = MarketState("active")
    figures = pnl.figures_of(holding, quote, state, "bid")
    return Position(ticker, FACTS, state, holding, quote, figures)


def reconcile(account_id: int, *, positions_value: str, unrealized_pnl: str) -> None:
    """Give an opened account sums, as its first reconciliation does; unannounced."""
    models.AccountStream.objects.filter(pk=account_id).update(
        seq=F("seq") + 1,
        positions_value=Decimal(positions_value),
        exposure=Decimal(positions_value) - Decimal(unrealized_pnl),
        unrealized_pnl=Decimal(unrealized_pnl),
        reconciled_at=timezone.now(),
    )
