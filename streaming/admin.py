"""
The operator's desk: how each account is fed and by whom, and what staff can do about it.

Rows are looked at here, and written by the worker alone. What is to be done is announced to it, as
the page does.
"""

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import JSONObject, Now
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts import forgetting, setting_aside, staff_log
from accounts.admin_rows import OnlyLookedAt
from accounts.models import Account
from ledger.models import Reconciliation
from ledger.noticing import differing_of
from ledger.telling import reconciliation_text
from positions import workers
from positions.connection import ConnectionState, Heartbeat, as_seen
from positions.connection_words import WORDS
from positions.figure_text import UNKNOWN, age
from positions.models import AccountStream, Worker
from positions.reading import connection_of
from postgres.channels import REFRESH_REQUESTED
from postgres.notifications import publish

if TYPE_CHECKING:
    _AccountStreamAdmin = admin.ModelAdmin[AccountStream]
    _WorkerAdmin = admin.ModelAdmin[Worker]
else:
    _AccountStreamAdmin = _WorkerAdmin = admin.ModelAdmin

# Of the page of one account.
_LAST_RECONCILIATIONS = 20


@admin.register(AccountStream)
class AccountStreamAdmin(OnlyLookedAt, _AccountStreamAdmin):
    list_display = (
        "account",
        "standing",
        "figures_age",
        "reconciled",
        "last_differed",
        "worker",
        "epoch",
        "seq",
        "position_count",
        "unpriced_count",
        "left_out_count",
        "total_value",
    )
    list_filter = ("status", "reason", "account__environment", "account__is_set_aside")
    list_select_related = ("account", "worker")
    search_fields = ("=account__id", "reason", "=worker__id", "left_out")
    ordering = ("account",)
    readonly_fields = ("standing", "figures_age", "reconciliations")
    actions = ("reconcile_now", "set_aside", "take_back", "forget")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountStream]:
        """With all that a list shows: however long it is, it is one query."""
        newest = Reconciliation.objects.filter(account=OuterRef("pk")).order_by("-at")
        told = newest.values(told=JSONObject(is_first="is_first", differing="differing", at="at"))
        # A heartbeat is judged by the clock that dated it.
        return super().get_queryset(request).annotate(read_at=Now(), newest=Subquery(told[:1]))

    @admin.display(description="stands", ordering="status")
    def standing(self, stream: AccountStream) -> str:
        state = _seen(stream)
        return f"{WORDS[state.status]} ({state.reason})" if state.reason else WORDS[state.status]

    @admin.display(description="figures are of", ordering="live_until")
    def figures_age(self, stream: AccountStream) -> str:
        state = _seen(stream)
        if state.status == "live":
            return "now"
        return _ago(state.live_until, _read_at(stream))

    @admin.display(description="reconciled", ordering="reconciled_at")
    def reconciled(self, stream: AccountStream) -> str:
        return _ago(stream.reconciled_at, _read_at(stream))

    @admin.display(description="last that was different")
    def last_differed(self, stream: AccountStream) -> str:
        newest: dict[str, Any] | None = getattr(stream, "newest", None)
        if newest is None:
            return UNKNOWN
        row = Reconciliation(is_first=newest["is_first"], differing=newest["differing"])
        at = datetime.fromisoformat(newest["at"])
        return f"{_ago(at, _read_at(stream))}: {_what_differed(row)}"

    @admin.display(description="left out")
    def left_out_count(self, stream: AccountStream) -> int:
        return len(stream.left_out)

    @admin.display(description="last reconciliations that differed")
    def reconciliations(self, stream: AccountStream) -> SafeString | str:
        rows = Reconciliation.objects.filter(account=stream.pk).order_by("-at")
        told = [
            (f"{row.at:%Y-%m-%d %H:%M:%S}", _what_differed(row))
            for row in rows[:_LAST_RECONCILIATIONS]
        ]
        return format_html_join("", "<p>{}: {}</p>", told) or UNKNOWN

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_account")

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_account")

    @admin.action(description="Reconcile now", permissions=["operate"])
    def reconcile_now(self, request: HttpRequest, queryset: QuerySet[AccountStream]) -> None:
        ids = _ids(queryset)
        for account_id in ids:
            publish(REFRESH_REQUESTED, str(account_id))
        staff_log.note(request.user.pk, "reconciliation asked for", accounts=ids)
        self.message_user(
            request, f"Asked for: {len(ids)}. Accounts that are set aside are not read."
        )

    @admin.action(description="Set aside: nothing is read", permissions=["operate"])
    def set_aside(self, request: HttpRequest, queryset: QuerySet[AccountStream]) -> None:
        ids = _ids(queryset)
        changed = setting_aside.set_aside(ids)
        staff_log.note(request.user.pk, "accounts set aside", accounts=ids)
        self.message_user(request, f"Set aside: {changed}. Keys, figures and history stay.")

    @admin.action(description="Take back: follow the exchange again", permissions=["operate"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[AccountStream]) -> None:
        ids = _ids(queryset)
        changed = setting_aside.take_back(ids)
        staff_log.note(request.user.pk, "accounts taken back", accounts=ids)
        self.message_user(request, f"Taken back: {changed}.")

    @admin.action(description="Forget: keys and all data, for good", permissions=["forget"])
    def forget(
        self, request: HttpRequest, queryset: QuerySet[AccountStream]
    ) -> HttpResponse | None:
        chosen = Account.objects.filter(pk__in=_ids(queryset)).select_related("owner")
        accounts = list(chosen.order_by("owner_id", "pk"))
        if not request.POST.get("post"):
            context = self.admin_site.each_context(request) | {
                "title": "Forget accounts?",
                "accounts": accounts,
            }
            return TemplateResponse(request, "admin/forget_accounts.html", context)
        for owner, owned in groupby(accounts, key=lambda account: account.owner):
            forgetting.forget_accounts(owner, [account.pk for account in owned])
        staff_log.note(
            request.user.pk, "accounts forgotten", accounts=[account.pk for account in accounts]
        )
        self.message_user(request, f"Forgotten: {len(accounts)}.")
        return None


@admin.register(Worker)
class WorkerAdmin(OnlyLookedAt, _WorkerAdmin):
    list_display = ("id", "started_at", "heartbeat_age", "account_count", "accounts", "silent")
    list_filter = ("heartbeat_at",)
    search_fields = ("=id",)
    ordering = ("-heartbeat_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """With the accounts, so that a page of workers is one query."""
        beat_ago = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
        ids = ArrayAgg("streams__account_id", order_by="streams__account_id", default=[])
        return (
            super()
            .get_queryset(request)
            .annotate(beat_ago=beat_ago, account_count=Count("streams"), account_ids=ids)
        )

    @admin.display(description="last heartbeat", ordering="heartbeat_at")
    def heartbeat_age(self, worker: Worker) -> str:
        beat_ago: timedelta = getattr(worker, "beat_ago")  # noqa: B009  # annotated
        text = _ago(worker.heartbeat_at, worker.heartbeat_at + beat_ago)
        is_fresh = Heartbeat(worker.heartbeat_at, beat_ago.total_seconds()).is_fresh
        return text if is_fresh else f"{text}: down"

    @admin.display(description="accounts", ordering="account_count")
    def account_count(self, worker: Worker) -> int:
        return int(getattr(worker, "account_count"))  # noqa: B009  # as above

    @admin.display(description="which")
    def accounts(self, worker: Worker) -> str:
        ids: list[int | None] = getattr(worker, "account_ids")  # noqa: B009  # as above
        return ", ".join(str(each) for each in ids if each is not None) or UNKNOWN


def _seen(stream: AccountStream) -> ConnectionState:
    """As it can be believed: a worker that died could not write that it did."""
    worker = stream.worker
    if worker is None:
        return as_seen(connection_of(stream), None)
    silent = worker.silent.get(str(stream.pk))
    beat = workers.heartbeat_of((worker.heartbeat_at, _read_at(stream), silent))
    return as_seen(connection_of(stream), beat)


def _read_at(stream: AccountStream) -> datetime:
    read_at: datetime = getattr(stream, "read_at", None) or timezone.now()
    return read_at


def _ago(at: datetime | None, now: datetime) -> str:
    return UNKNOWN if at is None else f"{age(at, now)} ago"


def _what_differed(row: Reconciliation) -> str:
    return reconciliation_text(differing_of(row), is_first=row.is_first)


def _ids(queryset: QuerySet[AccountStream]) -> list[int]:
    return list(queryset.order_by("pk").values_list("pk", flat=True))
