"""Files: bytes, who sent them, where they were shared."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass
class StoredFile:
    file_id: str
    name: str
    title: str
    mimetype: str
    user_id: str
    content: bytes
    created: int
    shared_in: list[str] = field(default_factory=list)  # channel ids
    given_to_app: bool = False  # handed over in one of its modals
    deleted: bool = False


@dataclass(frozen=True)
class UploadTicket:
    file_id: str
    length: int


class FileStore:
    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self.tickets: dict[str, UploadTicket] = {}

    def add(
        self, name: str, content: bytes, user_id: str, created: int, mimetype: str | None = None
    ) -> StoredFile:
        guessed = mimetype or mimetypes.guess_type(name)[0] or "application/octet-stream"
        file_id = "F" + secrets.token_hex(5).upper()
        stored = StoredFile(file_id, name, name, guessed, user_id, content, created)
        self._files[file_id] = stored
        return stored

    def put_back(self, stored: StoredFile) -> None:
        self._files[stored.file_id] = stored

    def get(self, file_id: str) -> StoredFile | None:
        found = self._files.get(file_id)
        return None if found is None or found.deleted else found

    def deleted(self, file_id: str) -> StoredFile | None:
        """What is left of a file that its owner took away."""
        found = self._files.get(file_id)
        return found if found is not None and found.deleted else None

    def all(self) -> list[StoredFile]:
        return list(self._files.values())

    def issue_ticket(self, file_id: str, length: int) -> str:
        ticket = secrets.token_urlsafe(16)
        self.tickets[ticket] = UploadTicket(file_id, length)
        return ticket


def file_json(
    stored: StoredFile, base_url: str, team_id: str, channel_kinds: dict[str, str]
) -> dict[str, Any]:
    """The `file` object. `channel_kinds` says of each channel id whether it is channel, group, im or mpim."""
    extension = stored.name.rsplit(".", 1)[-1].lower() if "." in stored.name else ""
    private = f"{base_url}files/{team_id}-{stored.file_id}"

    def shared(kind: str) -> list[str]:
        return [channel for channel in stored.shared_in if channel_kinds.get(channel) == kind]

    return {
        "id": stored.file_id,
        "created": stored.created,
        "timestamp": stored.created,
        "name": stored.name,
        "title": stored.title,
        "mimetype": stored.mimetype,
        "filetype": extension,
        "pretty_type": extension.upper() or "File",
        "user": stored.user_id,
        "user_team": team_id,
        "editable": False,
        "size": len(stored.content),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(shared("channel")),
        "public_url_shared": False,
        "url_private": f"{private}/{stored.file_id.lower()}",
        "url_private_download": f"{private}/download/{stored.file_id.lower()}",
        "permalink": f"{base_url}archives/{stored.file_id}",
        "channels": shared("channel"),
        "groups": [*shared("group"), *shared("mpim")],
        "ims": shared("im"),
        "file_access": "visible",
        "has_rich_preview": False,
    }
