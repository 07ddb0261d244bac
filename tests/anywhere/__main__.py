"""
`make test-anywhere`: the product as on a server of its own, and as on a platform, on loopback.

nginx with https before two web servers, PgBouncer in transaction mode, PostgreSQL by TCP with TLS,
one worker. An older version is installed and upgraded while somebody watches; each process of the
new one is killed, and the other commands of `docs/operations.md` are run as they are written there.
"""

import asyncio
import sys
from contextlib import suppress

import httpx

from tests.anywhere import installation, programs, written
from tests.anywhere.product import STREAM_SECONDS, WORKER
from tests.anywhere.scene import NotMet, Scene, scene

BEFORE, AFTER = "Before the backup", "After the backup"
# Its heartbeat is missed for five seconds before a worker counts as gone.
BACK_SECONDS = 20


def say(line: str) -> None:
    print(line, flush=True)


def holds(condition: bool, what: str) -> None:
    """NotMet where it does not."""
    if not condition:
        raise NotMet(what)


async def install_an_older_version(here: Scene) -> None:
    version = await installation.install(here.places)
    say(f"{version}, from before the tables last changed, is installed")


async def migrate_as_a_job(here: Scene) -> None:
    """Two at once, as a job that a platform starts twice: the lock is a session's own."""
    await asyncio.gather(*(here.product.manage("migrate", "-v", "0") for _ in range(2)))
    say("migrated, by two jobs at once")


async def come_in(here: Scene) -> None:
    await here.product.obey("start kalshi-live.target")
    took = await here.until(lambda: here.answers("/readyz"), "/readyz through nginx says ready")
    say(f"two web servers and a worker are ready after {took:.1f} s")
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://localhost:{here.places.http_port}/settings")
    led_to = (answer.status_code, answer.headers["Location"])
    holds(
        led_to == (301, f"{here.places.origin}/settings"), f"by http one is led to https: {led_to}"
    )
    invitation = await here.product.manage("invite", "--staff")
    answer = await here.visitor.sign_in(here.sandbox, invitation.strip())
    holds(answer.status_code == 200, f"signed in through nginx: {answer.text}")
    cookie = answer.headers["Set-Cookie"]
    holds("Secure" in cookie and "HttpOnly" in cookie, "the session's cookie is for https alone")


async def upgrade(here: Scene) -> None:
    installation.publish_the_newest(here.places)
    await written.run("backup", "upgrade", places=here.places)
    holds(installation.is_the_newest(here.places), "the newest version is installed")
    await back(here, "an upgrade")


async def look_at_the_database(here: Scene) -> None:
    """Who came how: all with TLS, and each by the way that its work needs."""
    ask = here.database.execute
    holds(here.database.refuses_clear_text(), "nobody gets in without TLS")
    holds(
        not ask(
            "SELECT 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE usename = 'kalshi_live' AND NOT ssl"
        ),
        "every session has TLS",
    )
    claims = ask(
        "SELECT DISTINCT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory'"
    )
    holds(claims == [("direct",)], f"claims are held past the pooler, not by {claims}")
    listening = ask(
        "SELECT application_name, count(*) FROM pg_stat_activity"
        " WHERE query LIKE 'LISTEN%' OR query LIKE 'NOTIFY%' GROUP BY 1"
    )
    # The worker, and each of the web servers.
    holds(listening == [("direct", 3)], f"three listen, past the pooler: {listening}")
    [(pooled,)] = ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pooled'")
    say(f"TLS everywhere; LISTEN and claims go past PgBouncer, all else by its {pooled} sessions")


async def kill_each(here: Scene) -> None:
    for name in here.product.names:
        here.visitor.longest_gap = 0.0
        await here.ticks_arrive()
        here.product.kill(name)
        if name == WORKER:
            # There is no other.
            here.product.start(name)
            await here.until(
                lambda: here.visitor.status == "live", "live by a new worker", BACK_SECONDS
            )
        # A web server stays away: the other one serves.
        await here.ticks_arrive()
        await here.all_is_right()
        say(f"{name} killed: longest time without a tick {here.visitor.longest_gap:.1f} s")
        here.product.start(name)
        await here.until(here.all_listen, f"{name} is back")


async def let_streams_end(here: Scene) -> None:
    """Each lasts as long as the setting says at the most; the visitor comes back by itself."""
    before, cut_off = here.visitor.resumed, here.visitor.cut_off
    here.visitor.longest_gap = 0.0
    await here.until(
        lambda: here.visitor.resumed >= before + 2, "streams end by themselves", 3 * STREAM_SECONDS
    )
    await here.all_is_right()
    holds(here.visitor.cut_off == cut_off, "no stream was cut off")
    say(f"streams ended whole; longest time without a tick {here.visitor.longest_gap:.1f} s")


async def run_what_is_written(here: Scene) -> None:
    await here.visitor.name_account(BEFORE)
    await written.run("backup", places=here.places)
    await here.visitor.name_account(AFTER)
    await written.run("restore", places=here.places)
    await back(here, "backup and restore")
    holds(await here.visitor.name_of_account() == BEFORE, "the restored name is the old one")

    keys = here.places.env_file.read_text()
    # As somebody does all of it in one shell, where what one leaves behind meets the next.
    await written.run("backup", "upgrade", "rotate", places=here.places)
    await back(here, "a backup, an upgrade and a new encryption key")
    holds(here.places.env_file.read_text() != keys, "the key is another")

    await written.run("leave", places=here.places)
    holds(await here.answers("/healthz", status=502), "the old machine serves no more")
    await written.run("backup", places=here.places)
    await asyncio.to_thread(here.database.make, "elsewhere")
    here.product.move_to("elsewhere")
    await written.run("arrive", places=here.places)
    await back(here, "another machine")
    holds(await here.visitor.name_of_account() == BEFORE, "the account has moved")
    [(sessions,)] = here.database.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'kalshi_live' "
        "AND state <> 'idle' AND usename = 'kalshi_live'"
    )
    holds(sessions == 0, "nobody works on the old database")


async def back(here: Scene, what: str) -> None:
    """The worker can open the keys again, and the visitor, still signed in, sees it live."""
    await here.until(lambda: here.answers("/readyz"), f"ready after {what}")
    await here.ticks_arrive()
    await here.all_is_right()
    say(f"{what}: as written, and live again")


async def story() -> None:
    async with scene(say) as here:
        await install_an_older_version(here)
        await migrate_as_a_job(here)
        await come_in(here)
        moving = asyncio.create_task(here.move())
        watching = asyncio.create_task(here.visitor.watch())
        try:
            took = await here.ticks_arrive()
            say(f"signed in through nginx by https; ten ticks after {took:.1f} s")
            await upgrade(here)
            await look_at_the_database(here)
            await kill_each(here)
            await let_streams_end(here)
            # Not after a backup was restored, which is older.
            holds(here.visitor.went_back == 0, "no snapshot was older than what had been told")
            await run_what_is_written(here)
        finally:
            for task in (moving, watching):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        holds(not here.product.tracebacks(), f"no traceback: {here.product.tracebacks()}")
        say(
            f"{here.visitor.ticks} ticks; {here.visitor.resumed} streams ended whole, "
            f"{here.visitor.cut_off} were cut off by what was killed; {here.visitor.refused} "
            "attempts found everything stopped, as the commands had it"
        )


def main() -> None:
    if missing := programs.missing_packages():
        sys.exit(
            f"This needs {', '.join(missing)}; on Debian: "
            f"apt-get install --no-install-recommends {' '.join(missing)}"
        )
    try:
        asyncio.run(story())
    except (NotMet, installation.NoHistory, written.CommandsFailed) as error:
        sys.exit(f"Not as it should be: {error}")


if __name__ == "__main__":
    main()
