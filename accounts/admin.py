"""Staff see people, accounts, keys and sessions, and can revoke; no secret is shown."""

from typing import TYPE_CHECKING, cast

import django.contrib.auth.admin  # noqa: F401  # registers groups, see below
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import credentials, deactivating, one_time_links, sessions, staff_log
from accounts.admin_rows import OnlyLookedAt
from accounts.models import Account, Credential, Session, User

if TYPE_CHECKING:
    _AccountAdmin = admin.ModelAdmin[Account]
    _CredentialAdmin = admin.ModelAdmin[Credential]
    _SessionAdmin = admin.ModelAdmin[Session]
    _UserAdmin = admin.ModelAdmin[User]
else:
    _AccountAdmin = _CredentialAdmin = _SessionAdmin = _UserAdmin = admin.ModelAdmin


# Nobody here is in a group, and none can be made.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(OnlyLookedAt, _UserAdmin):
    # Not deleted: their history would go with them, and that is theirs to decide (logout with
    # `forget`).

    list_display = ("id", "username", "is_staff", "is_active", "is_guest", "created_at")
    list_filter = ("is_staff", "is_active")
    search_fields = ("=id", "username")
    ordering = ("id",)
    # Named one by one: the password's hash is not among them.
    fields = ("id", "username", "is_staff", "is_active", "is_guest", "created_at")
    actions = ("sign_out", "deactivate", "activate")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_user")

    @admin.action(description="End all sessions of the selected users", permissions=["end"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = list(queryset.order_by("pk"))
        for user in users:
            sessions.end_all(user)
            one_time_links.end_unused(user)
        staff_log.note(request.user.pk, "users signed out", users=[user.pk for user in users])
        self.message_user(request, "Their sessions have ended.")

    @admin.action(description="Deactivate the selected users", permissions=["end"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ids = _ids(queryset.exclude(pk=cast(User, request.user).pk))
        deactivating.deactivate(ids)
        staff_log.note(request.user.pk, "users deactivated", users=ids)
        self.message_user(request, "They can't sign in any more, but for you yourself.")

    @admin.action(description="Activate the selected users", permissions=["end"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ids = _ids(queryset)
        deactivating.activate(ids)
        staff_log.note(request.user.pk, "users activated", users=ids)
        self.message_user(request, "They can sign in again.")


@admin.register(Account)
class AccountAdmin(OnlyLookedAt, _AccountAdmin):
    # Not deleted: its history would go with it. “Forget”, under the account streams, says so first.

    list_display = ("id", "name", "owner", "environment", "subaccount", "created_at")
    list_filter = ("environment",)
    list_select_related = ("owner",)
    ordering = ("id",)
    search_fields = ("=id", "owner__username", "keys__api_key_id", "credentials__api_key_id")
    fields = (
        "id",
        "name",
        "owner",
        "environment",
        "subaccount",
        "same_as",
        "is_set_aside",
        "created_at",
    )


@admin.register(Credential)
class CredentialAdmin(OnlyLookedAt, _CredentialAdmin):
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

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("accounts.delete_credential")

    def delete_model(self, request: HttpRequest, obj: Credential) -> None:
        credentials.delete_credential([obj.account], obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        for credential in queryset.select_related("account"):
            credentials.delete_credential([credential.account], credential.pk)


@admin.register(Session)
class SessionAdmin(OnlyLookedAt, _SessionAdmin):
    # Not deleted: the open streams of the session would go on. End it instead.

    list_display = ("id", "user", "of", "browser", "last_used_at", "expires_at", "ended_at")
    list_filter = ("of",)
    list_select_related = ("user",)
    search_fields = ("=id", "=user__id", "user__username")
    fields = (
        "id",
        "user",
        "of",
        "browser",
        "address",
        "created_at",
        "proved_at",
        "last_used_at",
        "expires_at",
        "ended_at",
    )
    actions = ("end_sessions",)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_session")

    @admin.action(description="End the selected sessions", permissions=["end"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        ended = list(queryset)
        for session in ended:
            sessions.end(session)
        staff_log.note(
            request.user.pk,
            "sessions ended",
            sessions=[str(session.pk) for session in ended],
            users=sorted({session.user_id for session in ended}),
        )
        self.message_user(request, "The sessions have ended.")


def _ids(queryset: QuerySet[User]) -> list[int]:
    return list(queryset.order_by("pk").values_list("pk", flat=True))
