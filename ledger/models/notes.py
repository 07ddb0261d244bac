"""What owners wrote."""

from django.db import models

from accounts.models import Account


class Note(models.Model):
    """What the owner wrote about a market."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notes")
    ticker = models.TextField()
    text = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "ticker"], name="note_once")]

    def __str__(self) -> str:
        return self.ticker
