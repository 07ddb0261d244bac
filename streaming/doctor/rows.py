"""What is asked of the database: whether it is fit, and what the workers have written."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import monotonic
from uuid import uuid4

from django.db import ProgrammingError, connection
from django.utils import timezone
from psycopg import errors, sql

from accounts.models import Account, Credential
from positions import reading, workers
from postgres.connections import hung_up_after, own_connection
from postgres.direct import is_pooled
from postgres.errors import DATABASE_TROUBLE
from postgres.notifications import publish
from postgres.patience import Patience
from postgres.threads import DatabaseThread
from postgres.unapplied import migrations
from streaming.doctor import verdicts
from streaming.doctor.examination import Check
from streaming.doctor.findings import Finding, unknown, wrong

# Nobody waits for a page here, and the embedded server may have to be started.
PATIENCE = Patience(connect=10, answer=3, statement=2.5, lock=1, idle_in_transaction=5)
# As requests and the worker's writes go; all else goes past a pooler.
POOLED = replace(PATIENCE, may_share=True)
CHECK_SECONDS = 20.0
# From its NOTIFY to an announcement.
HEARD_WITHIN_SECONDS = 3.0
_NO_TABLES = "the tables are not those that this code expects; see the migrations."
_NO_RIGHT = "the database's role may not read the tables."
_AWAY = "the database can't be reached."


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A credential without what it opens; `label` names it by its environment and last digits."""

    credential_id: int
    account_id: int
    environment: str
    label: str
    is_refused: bool


def checks() -> list[Check]:
    """All that need the database."""
    return [
        Check(verdicts.DATABASE, CHECK_SECONDS, _in_thread(verdicts.DATABASE, _server, _trouble)),
        *(_checks_of_pooler() if is_pooled(connection) else ()),
        Check(verdicts.ANNOUNCEMENTS, CHECK_SECONDS, _announcements),
        Check(verdicts.WORKER, CHECK_SECONDS, _in_thread(verdicts.WORKER, _workers, _no_rows)),
    ]


def _checks_of_pooler() -> list[Check]:
    find = _in_thread(verdicts.POOLER, _pooler, _pooler_trouble, POOLED)
    return [Check(verdicts.POOLER, CHECK_SECONDS, find)]


def unreadable(subject: str, error: ProgrammingError) -> Finding:
    """Of tables that are not there, or may not be read."""
    if isinstance(error.__cause__, errors.InsufficientPrivilege):
        return wrong(subject, _NO_RIGHT, "Let it own the database and what is in it.")
    return unknown(subject, _NO_TABLES)


def stored_keys() -> list[StoredKey]:
    """Every credential that is stored."""
    return [
        StoredKey(
            credential_id=each.pk,
            account_id=each.account_id,
            environment=each.environment,
            label=f"{each.environment} {each.api_key_id_hint}",
            is_refused=each.status == Credential.Status.REFUSED,
        )
        for each in Credential.objects.order_by("pk")
    ]


def _in_thread(
    subject: str,
    find: Callable[[], list[Finding]],
    trouble: Callable[[Exception], Finding],
    role: Patience = PATIENCE,
) -> Callable[[], AsyncGenerator[Finding, None]]:
    async def found() -> AsyncGenerator[Finding, None]:
        database = DatabaseThread(role)
        try:
            for finding in await database.run(find):
                yield finding
        except DATABASE_TROUBLE as error:
            yield trouble(error)
        except ProgrammingError as error:
            yield unreadable(subject, error)
        finally:
            await database.close()

    return found


def _server() -> list[Finding]:
    begun = monotonic()
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT current_setting('server_version_num')::int, clock_timestamp()")
        version, theirs = cursor.fetchone()
        after = timezone.now()
    seconds = monotonic() - begun
    return [
        verdicts.server_finding(version, seconds),
        verdicts.database_clock_finding(before + (after - before) / 2 - theirs),
        verdicts.migrations_finding(migrations()),
    ]


def _pooler() -> list[Finding]:
    begun = monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return [verdicts.pooler_finding(monotonic() - begun)]


def _trouble(error: Exception) -> Finding:
    if connection.settings_dict.get("EMBEDDED_DIRECTORY"):
        remedy = "See that this user may use that directory, what its log says, and POSTGRES_DIR."
    else:
        remedy = _leads("DIRECT_DATABASE_URL" if is_pooled(connection) else "DATABASE_URL")
    return wrong(verdicts.DATABASE, _said(error), remedy)


def _pooler_trouble(error: Exception) -> Finding:
    return wrong(verdicts.POOLER, _said(error), _leads("DATABASE_URL"))


def _leads(variable: str) -> str:
    return f"See that it runs, and that {variable} leads to it with the right password."


def _said(error: Exception) -> str:
    # The first line of libpq's: where it tried and what was said; no password is in it.
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _no_rows(error: Exception) -> Finding:
    return unknown(verdicts.WORKER, _AWAY)


def _workers() -> list[Finding]:
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    read = {account_id: reading.read_head(account_id) for account_id in accounts}
    now = timezone.now()
    return [
        verdicts.workers_finding(workers.known(), len(accounts), now),
        *(
            verdicts.stream_finding(
                account_id,
                rows.seen(now) if rows.stream else None,
                reconciled_at=rows.stream.reconciled_at if rows.stream else None,
                left_out=len(rows.stream.left_out) if rows.stream else 0,
                now=now,
            )
            for account_id, rows in read.items()
        ),
    ]


def _connect() -> None:
    connection.ensure_connection()


async def _announcements() -> AsyncGenerator[Finding, None]:
    # As the worker announces, which is heard past a pooler.
    has_two_ways = is_pooled(connection)
    database = DatabaseThread(POOLED if has_two_ways else PATIENCE)
    channel = f"doctor_{uuid4().hex}"
    try:
        # First, as it waits longer for a server that is only starting.
        await database.run(_connect)
        async with own_connection() as own:
            with hung_up_after(HEARD_WITHIN_SECONDS, own):
                await own.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                cursor = await own.execute("SELECT pg_backend_pid()")
                row = await cursor.fetchone()
            begun = monotonic()
            await database.run(publish, channel, "")
            seconds = None
            notified = own.notifies(timeout=HEARD_WITHIN_SECONDS, stop_after=1)
            async with aclosing(notified) as notifications:
                async for _ in notifications:
                    seconds = monotonic() - begun
            yield verdicts.announcements_finding(
                seconds=seconds,
                is_same_server=row == (own.info.backend_pid,),
                has_two_ways=has_two_ways,
            )
    except DATABASE_TROUBLE:
        yield unknown(verdicts.ANNOUNCEMENTS, _AWAY)
    finally:
        await database.close()
