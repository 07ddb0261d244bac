"""Tries to sign in, and where those who succeeded came from."""

from typing import ClassVar

from django.db import models


class SignInTry(models.Model):
    """A try to sign in that is under way, or that failed for a reason on the visitor's side."""

    # What it counts for, as `throttle.Key` writes it.
    key = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            # "How many of this key were there lately?", asked at every sign-in.
            models.Index(name="try_by_key_and_time", fields=["key", "at"]),
            # The purge of those too old to count.
            models.Index(name="try_by_time", fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.at:%Y-%m-%d %H:%M:%S}"


class KnownNetwork(models.Model):
    """A network from which somebody signed in with a name and its password."""

    # Of `names.digest`: the name itself may be a password in the wrong field.
    name_digest = models.CharField(max_length=64)
    network = models.CharField(max_length=43)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="network_is_known_once_for_a_name", fields=["name_digest", "network"]
            ),
        ]
        # The purge of those not seen for long.
        indexes: ClassVar = [models.Index(name="known_network_by_time", fields=["seen_at"])]

    def __str__(self) -> str:
        return f"{self.network}, seen at {self.seen_at:%Y-%m-%d %H:%M:%S}"
