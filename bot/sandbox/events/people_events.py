"""People and their user groups."""

from __future__ import annotations

from typing import Any

from bot.sandbox.events.telling import Telling
from bot.sandbox.groups import Group, subteam_json
from bot.sandbox.people import Person
from bot.sandbox.shapes import person_json


class PeopleEvents(Telling):
    def person(self, kind: str, person: Person) -> None:
        """`kind` is team_join or user_change."""
        ts = self._now()
        event: dict[str, Any] = {"type": kind, "user": person_json(self._workspace, person), "event_ts": ts}
        if kind == "user_change":
            event["cache_ts"] = person.updated
        self._send(kind, None, event)

    def group(self, kind: str, group: Group) -> None:
        """`kind` is subteam_created or subteam_updated."""
        users = self._workspace.active_members(group)
        subteam = subteam_json(group, users, self._workspace.team_id)
        self._send(kind, None, {"type": kind, "subteam": subteam, "event_ts": self._now()})

    def group_members(self, group: Group, previous_update: int, added: list[str], removed: list[str]) -> None:
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group.group_id,
            "team_id": self._workspace.team_id,
            "date_previous_update": previous_update,
            "date_update": group.updated,
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
            "event_ts": self._now(),
        }
        self._send("subteam_members_changed", None, event)
