"""Sessions: who has signed in, how, and what they may see."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.models.exchange_accounts import Account, Credential
from accounts.models.people import User


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self, now: datetime) -> Self:
        """Neither ended nor expired at `now`, of users who may sign in."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now, user__is_active=True)


class Session(models.Model):
    """
    One sign-in. Its tokens name it, so that ending it kills them all.

    One of a key sees the accounts whose keys were shown in it; one of the person sees all that the
    user owns.
    """

    class Of(models.TextChoices):
        KEY = "key"
        PERSON = "person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    of = models.CharField(max_length=6, choices=Of.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    # The expiry of its newest token.
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # When the person was last proved, by password, passkey or a recovery link.
    proved_at = models.DateTimeField(null=True, blank=True)
    # As of its last use, to the minute.
    last_used_at = models.DateTimeField()
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=100, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="session_of_the_person_is_proved",
                condition=Q(of="key", proved_at__isnull=True)
                | Q(of="person", proved_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # The purge of expired sessions wants it.
            models.Index(name="session_by_expiry", fields=["expires_at"]),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"


class ShownKey(models.Model):
    """A session in which a key of the account was shown, and accepted by the exchange."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="shown_keys")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="shown_in")
    # The key that was shown last. Null where it is stored no more, or was shown before that was
    # noted: the session goes on seeing the account, and proves nothing by it.
    credential = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="shown_in"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="account_is_shown_once_in_a_session", fields=["session", "account"]
            ),
        ]

    def __str__(self) -> str:
        return f"a key of account {self.account_id} in session {self.session_id}"
