"""The embedded PostgreSQL: a server of our own, from a wheel, shared by the processes of one home."""

from auth.server.client import RunningServer, ensure_running, is_running, wait_until_stopped
from auth.server.errors import ServerError
from auth.server.throwaway import throwaway_server

__all__ = [
    "RunningServer",
    "ServerError",
    "ensure_running",
    "is_running",
    "throwaway_server",
    "wait_until_stopped",
]
