"""Accounts at the exchange, and the keys that open them."""

from collections.abc import Iterable
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.fields import EncryptedTextField
from accounts.models.people import User

LONGEST_NAME = 60


class EnvironmentName(models.TextChoices):
    """Which exchange: the names are those of the API and of `settings.KALSHI_ENVIRONMENTS`."""

    PRODUCTION = "production"
    DEMO = "demo"
    SANDBOX = "sandbox"


class Account(models.Model):
    """
    One account at the exchange, narrowed to one of its subaccounts, of one owner.

    The exchange names no account. What identifies one is the set of its key ids (`AccountKey`),
    or, for a key that may not list them, that key alone (`sole_key_id`).
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="accounts")
    # The owner's word for it.
    name = models.CharField(max_length=LONGEST_NAME)
    # The owner's choice; the first where none is chosen.
    is_chosen = models.BooleanField(default=False)
    environment = models.CharField(max_length=10, choices=EnvironmentName.choices)
    subaccount = models.PositiveIntegerField()
    sole_key_id = models.CharField(max_length=128, blank=True, default="")
    # The one that it turned out to be at the exchange, where no key could tell (`positions.twins`).
    same_as = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # By the staff: nothing of it is read from the exchange until they take it back.
    is_set_aside = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="account_environment_is_known",
                condition=Q(environment__in=EnvironmentName.values),
            ),
            models.UniqueConstraint(
                name="key_that_lists_no_keys_has_one_account",
                fields=["environment", "sole_key_id"],
                condition=~Q(sole_key_id=""),
            ),
            models.UniqueConstraint(
                name="one_account_is_chosen", fields=["owner"], condition=Q(is_chosen=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.environment} account {self.pk}, subaccount {self.subaccount}"


class AccountKey(models.Model):
    """
    A key id that the exchange listed for an account, whether we hold that key or not.

    `environment` and `subaccount` repeat the account's, which never change, for the sake of the
    constraint.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="keys")
    environment = models.CharField(max_length=10, choices=EnvironmentName.choices)
    subaccount = models.PositiveIntegerField()
    # Text: whatever the exchange lists.
    api_key_id = models.TextField()

    class Meta:
        constraints: ClassVar = [
            # Also the index by which a key's account is found at sign-in.
            models.UniqueConstraint(
                name="listed_key_belongs_to_one_account_per_subaccount",
                fields=["environment", "subaccount", "api_key_id"],
            ),
        ]

    def __str__(self) -> str:
        return key_id_hint(self.api_key_id)

    @classmethod
    def rows(cls, account: Account, api_key_ids: Iterable[str]) -> list[Self]:
        """Rows of an account that are not stored yet."""
        return [
            cls(
                account=account,
                environment=account.environment,
                subaccount=account.subaccount,
                api_key_id=api_key_id,
            )
            # Sorted, so that two who add the same ids wait for each other, not both.
            for api_key_id in sorted(api_key_ids)
        ]


class CredentialQuerySet(models.QuerySet["Credential"]):
    def usable(self) -> Self:
        """Those the exchange has not refused."""
        return self.filter(status=Credential.Status.USABLE)

    def refused(self) -> Self:
        """Those the exchange refused when they were last used."""
        return self.filter(status=Credential.Status.REFUSED)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class Credential(models.Model):
    """An API key that we hold: with it the worker reads its account's positions."""

    class Status(models.TextChoices):
        USABLE = "usable"
        REFUSED = "refused"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credentials")
    environment = models.CharField(max_length=10, choices=EnvironmentName.choices)
    api_key_id = models.CharField(max_length=128)
    private_key = EncryptedTextField()
    # As the exchange names them; empty when it would not tell.
    scopes = ArrayField(models.TextField(), default=list, blank=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.USABLE)
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    # When the exchange last accepted it.
    checked_at = models.DateTimeField()

    objects = CredentialQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # A key is locked to one subaccount or to none, so it opens one account only.
            models.UniqueConstraint(
                name="key_is_stored_once", fields=["environment", "api_key_id"]
            ),
            models.CheckConstraint(
                name="credential_environment_is_known",
                condition=Q(environment__in=EnvironmentName.values),
            ),
            models.CheckConstraint(
                name="credential_is_refused_since_a_time",
                condition=Q(status="usable", refused_at__isnull=True)
                | Q(status="refused", refused_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.environment} key {self.api_key_id_hint}"

    @property
    def api_key_id_hint(self) -> str:
        """Enough of the key id to recognise it, such as `…1a2b`."""
        return key_id_hint(self.api_key_id)


def key_id_hint(api_key_id: str) -> str:
    """The last four characters of a key id, such as `…1a2b`."""
    return f"…{api_key_id[-4:]}"
