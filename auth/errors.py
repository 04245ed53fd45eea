"""The base of every error that a person reads."""


class OstiaryError(Exception):
    """Something went wrong in a way a person can mend; the message says what happened and what to do."""
