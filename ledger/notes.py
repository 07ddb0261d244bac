"""What owners write about markets."""

from datetime import datetime

from ledger.models import Note


def write_note(account_id: int, ticker: str, text: str, now: datetime) -> Note | None:
    """Keep what is written in the place of what was; nothing deletes it, and is what is left."""
    if not text:
        Note.objects.filter(account_id=account_id, ticker=ticker).delete()
        return None
    note, _ = Note.objects.update_or_create(
        account_id=account_id, ticker=ticker, defaults={"text": text, "updated_at": now}
    )
    return note
