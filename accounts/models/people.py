"""People, and what they sign in with beside a key of the exchange."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q

from accounts import names


class UserManager(BaseUserManager["User"]):
    """Users by name, however its letters are written."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Django's name for it: by this it looks for who signs in."""
        # Not by the database's idea of upper case: that depends on how it was made.
        return self.get(folded_username=names.folded(names.storable(username or "")))

    def create_superuser(
        self, username: str, password: str | None = None, **fields: Any
    ) -> "User":  # Any: as Django's own
        """For `manage.py createsuperuser`: one of the staff, who has no account yet."""
        user = self.model(username=username, is_staff=True, is_guest=False, **fields)
        user.username = self.model.normalize_username(username)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """
    A person. Made by a first sign-in with a key, and then without name, password and passkey.

    `is_guest`: has been let in by the sandbox's click alone, which needs nobody's leave, and needs
    it for accounts at the real exchange.
    """

    # What passkeys know the person by: it tells nothing, and stays when the name changes.
    handle = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        max_length=names.LONGEST_NAME,
        unique=True,
        null=True,
        blank=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "This name is taken."},
    )
    # Unique in the place of the name, of which several forms are one; see `save`.
    folded_username = models.CharField(  # noqa: DJ001  # who has no name has no other's
        max_length=names.LONGEST_FOLDED, unique=True, null=True, editable=False
    )
    # Of one rank: the staff may do all there is in the admin, which is to look and to revoke.
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_guest = models.BooleanField(default=False)
    # Has owned an account at the real exchange: then somebody uses this server, come what may.
    is_settled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"

    def save(self, *args: Any, **fields: Any) -> None:  # Any: as Django's own
        """Django's, with the folded name beside the name."""
        self.folded_username = None if self.username is None else names.folded(self.username)
        if "username" in (written := fields.get("update_fields") or ()):
            fields["update_fields"] = {*written, "folded_username"}
        super().save(*args, **fields)

    def __str__(self) -> str:
        return self.username or f"user {self.pk}"

    @property
    def is_superuser(self) -> bool:
        """For Django's `createsuperuser`: the staff has no ranks."""
        return self.is_staff

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """For the admin."""
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """For the admin."""
        return self.is_active and self.is_staff


class Passkey(models.Model):
    """One WebAuthn credential of a person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=100)
    # Up to 1,023 bytes by the standard.
    credential_id = models.BinaryField(max_length=1023, unique=True)
    # As the authenticator gave it, in COSE.
    public_key = models.BinaryField()
    # Of synced passkeys always 0.
    sign_count = models.BigIntegerField(default=0)
    # Made for this host: no browser offers it at another.
    relying_party = models.CharField(max_length=253)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class SpentChallenge(models.Model):
    """A WebAuthn challenge that was answered, kept until it would have expired by itself."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            # The purge of those that have expired.
            models.Index(name="spent_challenge_by_expiry", fields=["expires_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]}…"


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    def good(self, now: datetime) -> Self:
        """Neither used nor expired at `now`."""
        return self.filter(used_at__isnull=True, expires_at__gt=now)


class OneTimeLink(models.Model):
    """A link that serves once: it lets somebody become a user, or a user back in."""

    class Kind(models.TextChoices):
        INVITATION = "invitation"
        RECOVERY = "recovery"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of its token, which is kept nowhere.
    digest = models.CharField(max_length=64, unique=True)
    # An invitation's: who uses it becomes one of the staff.
    is_staff = models.BooleanField(default=False)
    # A recovery's: who gets back in.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="recovery_links"
    )
    # An invitation's: who made it, and with whom it goes. Null where a command or a start did, and
    # of those made before this was noted.
    made_by = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="recovery_is_of_a_user",
                condition=Q(kind="invitation", user__isnull=True)
                | Q(kind="recovery", user__isnull=False, is_staff=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
