"""The Web API, one family of methods a module. Importing a family registers it."""

from bot.sandbox.methods import (
    assistant,
    chat,
    conversations,
    identity,
    oauth,
    reactions,
    sessions,
    streams,
    uploads,
    usergroups,
    users,
    views,
)

__all__ = [
    "assistant",
    "chat",
    "conversations",
    "identity",
    "oauth",
    "reactions",
    "sessions",
    "streams",
    "uploads",
    "usergroups",
    "users",
    "views",
]
