"""What an administrator can change: each change a value that knows how to make itself.

`make` works in the caller's transaction, which `Administration` opens, guards and commits; nobody else calls it.
"""

from bot.administering.digest_changes import ScheduleDigest, StopDigest
from bot.administering.life_changes import ExpireDocuments, FadeCollection, OwnDocuments
from bot.administering.making import CannotChange, Change, Made
from bot.administering.reader_changes import (
    ChangeLabel,
    DefineCollection,
    FileDocuments,
    RelabelCollection,
    RelabelDocuments,
)
from bot.administering.removal import RemoveDocuments
from bot.administering.role_changes import (
    DefineRole,
    DeleteRole,
    GrantRole,
    MapSource,
    RevokeRole,
    UnmapSource,
)
from bot.administering.source_changes import (
    AddSource,
    PauseSource,
    RelabelSource,
    RemoveSource,
    ResumeSource,
)
from bot.administering.undoing import UndoChange

__all__ = [
    "AddSource",
    "CannotChange",
    "Change",
    "ChangeLabel",
    "DefineCollection",
    "DefineRole",
    "DeleteRole",
    "ExpireDocuments",
    "FadeCollection",
    "FileDocuments",
    "GrantRole",
    "Made",
    "MapSource",
    "OwnDocuments",
    "PauseSource",
    "RelabelCollection",
    "RelabelDocuments",
    "RelabelSource",
    "RemoveDocuments",
    "RemoveSource",
    "ResumeSource",
    "RevokeRole",
    "ScheduleDigest",
    "StopDigest",
    "UndoChange",
    "UnmapSource",
]
