"""What the embedded server says when it cannot serve."""

from auth.errors import OstiaryError


class ServerError(OstiaryError):
    """The embedded PostgreSQL cannot run; the message says why and what to do."""
