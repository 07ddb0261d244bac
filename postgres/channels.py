"""The names under which changes are announced by NOTIFY, and what each payload holds."""

# An account's rows changed; `account:epoch:seq`, and behind a further colon those rows where they
# fit (`positions.doorbell`).
ACCOUNT_CHANGED = "account_changed"
# Reconcile an account with the exchange now; its id.
REFRESH_REQUESTED = "refresh_requested"
# Whether and by what an account can be watched has changed: credentials of its were added, removed,
# refused or accepted again, or it was forgotten, set aside or taken back, or its owner was
# deactivated or activated; its id.
CREDENTIALS_CHANGED = "credentials_changed"
# A worker let go of an account for another to take; `account:worker` (`streaming.worker.sharing`).
ACCOUNT_OFFERED = "account_offered"
# A market's order book is to be read with an account's key; and what was read, or that it can't be
# (`positions.order_books`).
BOOK_ASKED = "book_asked"
BOOK_READ = "book_read"
# A session ended, so its open streams end too; its id.
SESSION_ENDED = "session_ended"
# The accounts that a user's sessions see have become others; the user's id.
SIGHT_CHANGED = "sight_changed"
