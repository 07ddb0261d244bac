"""Staff see the state of accounts, keys and sessions, and can revoke; no secret is shown."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import credentials, sessions
from accounts.models import Account, Credential, Session

if TYPE_CHECKING:
    _AccountAdmin = admin.ModelAdmin[Account]
    _CredentialAdmin = admin.ModelAdmin[Credential]
    _SessionAdmin = admin.ModelAdmin[Session]
else:
    _AccountAdmin = _CredentialAdmin = _SessionAdmin = admin.ModelAdmin


class _WrittenByTheProduct:
    """Rows are looked at here; the product's own functions write them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(_WrittenByTheProduct, _AccountAdmin):
    list_display = ("id", "environment", "subaccount", "created_at")
    list_filter = ("environment",)
    search_fields = ("=id", "keys__api_key_id", "credentials__api_key_id")
    fields = ("id", "environment", "subaccount", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        # Its history would go with it, and that is the owner's to decide (logout with `forget`).
        return False


@admin.register(Credential)
class CredentialAdmin(_WrittenByTheProduct, _CredentialAdmin):
    list_display = ("api_key_id_hint", "environment", "account", "status", "scopes", "checked_at")
    list_filter = ("status", "environment")
    list_select_related = ("account",)
    search_fields = ("api_key_id", "=account__id")
    # Named one by one: the private key is not among them.
    fields = (
        "api_key_id_hint",
        "environment",
        "account",
        "status",
        "refused_at",
        "refused_reason",
        "scopes",
        "created_at",
        "checked_at",
    )

    def delete_model(self, request: HttpRequest, obj: Credential) -> None:
        credentials.delete_credential(obj.account, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        for credential in queryset.select_related("account"):
            credentials.delete_credential(credential.account, credential.pk)


@admin.register(Session)
class SessionAdmin(_WrittenByTheProduct, _SessionAdmin):
    list_display = ("id", "account", "created_at", "expires_at", "ended_at")
    list_filter = ("account__environment",)
    list_select_related = ("account",)
    search_fields = ("=id", "=account__id")
    fields = ("id", "account", "created_at", "expires_at", "ended_at")
    actions = ("end_sessions",)

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        # Deleting the row would leave the open streams of the session on: end it instead.
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_session")

    @admin.action(description="End the selected sessions", permissions=["end"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        for session in queryset:
            sessions.end(session)
        self.message_user(request, "The sessions have ended.")
