"""What the embedded server says when it cannot serve."""


class ServerError(Exception):
    """The embedded PostgreSQL cannot run; the message says why and what to do."""
