"""What the modules of the embedded server raise."""


class EmbeddedServerError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""
