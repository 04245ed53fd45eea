"""User groups as they are now, and as `usergroups.list` and the subteam events show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_USERS_IN_EVENT = 500  # subteam_updated names no more; its user_count is right all the same


@dataclass
class Group:
    group_id: str
    handle: str
    name: str
    members: list[str] = field(default_factory=list)  # user ids
    created: int = 0
    updated: int = 0
    deleted: int = 0  # when it was disabled; 0 while it is in use
    created_by: str = ""
    updated_by: str = ""
    deleted_by: str | None = None


def group_json(
    group: Group, users: list[str], team_id: str, *, with_users: bool, with_count: bool
) -> dict[str, Any]:
    """The `usergroup` object; events call it `subteam`. `users` are the members who can sign in."""
    shape: dict[str, Any] = {
        "id": group.group_id,
        "team_id": team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "is_external": False,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.deleted,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": group.created_by,
        "updated_by": group.updated_by,
        "deleted_by": group.deleted_by,
        "prefs": {"channels": [], "groups": []},
        "channel_count": 0,
    }
    if with_users:
        shape["users"] = users
    if with_count:
        shape["user_count"] = len(users)
    return shape


def subteam_json(group: Group, users: list[str], team_id: str) -> dict[str, Any]:
    """As subteam_created and subteam_updated carry it: a snapshot of the first 500 members."""
    shape = group_json(group, users, team_id, with_users=True, with_count=True)
    return shape | {"users": users[:MOST_USERS_IN_EVENT], "is_section": False}
