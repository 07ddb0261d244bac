"""`manage.py kalshi`: one signed call to the exchange, by hand."""

import asyncio
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import credentials, key_check
from accounts.credentials import RevealedCredential
from accounts.errors import CredentialUnusable, UnknownEnvironment
from accounts.models import Credential
from kalshi import pasted_keys
from kalshi.calls import CALLS, Call, Question
from kalshi.errors import KalshiError
from kalshi.presentation import as_json, as_table
from kalshi.rest import Client
from kalshi.rows import Rows
from kalshi.signing import InvalidKey, SigningKey


class Command(BaseCommand):
    """Ask the exchange something with a stored key or one from a file, and print the answer."""

    help = "Asks the exchange one thing and prints the answer. Reads only; the calls are below."
    # The calls need no database, unless the key is in it.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = "calls:\n" + "\n".join(map(_line, CALLS, CALLS.values()))
        parser.add_argument("call", choices=CALLS, metavar="call", help="what to ask, see below")
        parser.add_argument("names", nargs="*", help="tickers, for calls that need some")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        key = parser.add_argument_group(
            "key", "Without any of these, that of the only stored account."
        )
        key.add_argument("--credential", type=int, metavar="ID", help="a stored one, by its id")
        key.add_argument("--key-id", metavar="UUID", help="one from a file: the key's ID")
        key.add_argument("--private-key-file", type=Path, metavar="PEM", help="and the file")
        key.add_argument("--environment", default="production", help="and where it is good")
        limits = parser.add_argument_group("limits", "For the calls that have them.")
        limits.add_argument("--subaccount", type=int, help="else the key's own")
        limits.add_argument("--ticker", help="only of this market")
        limits.add_argument("--since", type=_time, metavar="TIME", help="ISO 8601; UTC if unsaid")
        limits.add_argument("--until", type=_time, metavar="TIME")
        limits.add_argument("--minutes", type=int, choices=(1, 60, 1440), default=60)

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's own signature
        call, names = CALLS[options["call"]], tuple(options["names"])
        if not call.takes(names):
            raise CommandError(f"Usage: kalshi {options['call']} {' '.join(call.operands)}")
        key = _key(options["credential"], options)
        subaccount = options["subaccount"]
        question = Question(
            names,
            subaccount=key.subaccount if subaccount is None else subaccount,
            **{name: options[name] for name in ("ticker", "since", "until", "minutes")},
        )
        try:
            answer = asyncio.run(_ask(key, call, question))
        except (KalshiError, InvalidKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(as_json(answer) if options["json"] else as_table(answer))
        for row in answer.left_out if isinstance(answer, Rows) else ():
            self.stderr.write(f"Left out: {row.kind} {row.name or '(no name)'}: {row.reason}")


def _key(credential_id: int | None, options: dict[str, Any]) -> RevealedCredential:
    try:
        if options["key_id"] or options["private_key_file"]:
            return _key_of_file(options)
        return credentials.reveal(_only_stored() if credential_id is None else credential_id)
    except (CredentialUnusable, UnknownEnvironment, InvalidKey) as error:
        raise CommandError(str(error)) from error


def _key_of_file(options: dict[str, Any]) -> RevealedCredential:
    if not (options["key_id"] and options["private_key_file"]):
        raise CommandError("--key-id and --private-key-file go together.")
    try:
        pem = options["private_key_file"].read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{options['private_key_file']} cannot be read.") from error
    environment = key_check.exchange_of(options["environment"])
    key_id = pasted_keys.api_key_id(options["key_id"])
    return RevealedCredential(environment, key_id, SigningKey.from_pem(pem), 0)


def _only_stored() -> int:
    stored = list(Credential.objects.newest_first())
    if len(stored) == 1:
        return stored[0].pk
    if not stored:
        raise CommandError("No account is stored. Name a key with --key-id, --private-key-file.")
    known = ", ".join(f"{credential.pk} ({credential})" for credential in stored)
    raise CommandError(f"Several accounts are stored. Name one with --credential: {known}.")


async def _ask(key: RevealedCredential, call: Call, question: Question) -> object:
    async with Client(key.environment, key.api_key_id, key.key) as client:
        return await call.ask(client, question)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("not a time such as 2026-11-23 or 2026-11-23T14:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _line(name: str, call: Call) -> str:
    return f"  {' '.join((name, *call.operands)):<28}{call.about}"
