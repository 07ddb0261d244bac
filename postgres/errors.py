"""What can be wrong with the database, and is no mistake of ours."""

from django.db import InterfaceError, InternalError, OperationalError

# A database that is away, restarting or read-only for a while. Its other errors are mistakes of
# ours, and repeating them would hide that nothing is written any more.
DATABASE_TROUBLE = (OperationalError, InterfaceError, InternalError)


class EmbeddedServerError(OperationalError):
    """The embedded server cannot be used; the message says why and what to do."""
