"""People as they are now, and as `users.info` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.seed import OTHER_TEAM, PersonKind, PersonSeed

_COLOURS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c")


@dataclass
class Person:
    user_id: str
    handle: str
    name: str
    title: str
    kind: PersonKind
    deleted: bool
    is_admin: bool
    is_owner: bool
    team_id: str
    updated: int = 0

    @property
    def is_guest(self) -> bool:
        return self.kind in ("guest", "single_channel_guest")

    @property
    def is_full_member(self) -> bool:
        return self.kind in ("member", "bot") and not self.deleted

    @property
    def standing(self) -> str:
        """How the page names the person's place in the workspace."""
        if self.deleted:
            return "deactivated"
        names = {
            "member": "full member",
            "guest": "guest",
            "single_channel_guest": "single-channel guest",
            "outsider": "from another company",
            "bot": "app",
        }
        if self.is_owner:
            return "workspace owner"
        return "workspace admin" if self.is_admin else names[self.kind]


def person_from(seed: PersonSeed, team_id: str) -> Person:
    home = seed.team_id or (OTHER_TEAM if seed.kind == "outsider" else team_id)
    return Person(
        user_id=seed.user_id,
        handle=seed.handle,
        name=seed.name,
        title=seed.title,
        kind=seed.kind,
        deleted=seed.deleted,
        is_admin=seed.is_admin,
        is_owner=seed.is_owner,
        team_id=home,
    )


def user_json(person: Person, bot_id: str, app_id: str, *, stranger: bool = False) -> dict[str, Any]:
    """The `user` object of Slack's Web API. Of a deactivated person Slack says neither kind nor flags.

    `stranger`: of another team, and in no channel that the app can see. Whoever of another team the app
    meets in a shared channel is *not* one: only their team_id tells them apart.
    """
    shape: dict[str, Any] = {
        "id": person.user_id,
        "team_id": person.team_id,
        "name": person.handle,
        "deleted": person.deleted,
        "profile": _profile_json(person, bot_id, app_id),
        "is_bot": person.kind == "bot",
        "is_app_user": False,
        "updated": person.updated,
    }
    if person.deleted:
        return shape | {"is_forgotten": False}
    return shape | {
        "color": _COLOURS[sum(person.user_id.encode()) % len(_COLOURS)],
        "real_name": person.name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner,
        "is_primary_owner": person.is_owner,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": person.kind == "single_channel_guest",
        "is_stranger": stranger,
        "is_email_confirmed": person.kind != "bot",
        "who_can_share_contact_card": "EVERYONE",
    }


def _profile_json(person: Person, bot_id: str, app_id: str) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    profile: dict[str, Any] = {
        "title": person.title,
        "phone": "",
        "skype": "",
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": person.handle,
        "display_name_normalized": person.handle,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "team": person.team_id,
    }
    if person.kind == "bot":
        profile |= {"bot_id": bot_id, "api_app_id": app_id}
    if person.is_guest and not person.deleted:
        profile |= {"guest_invited_by": "", "guest_expiration_ts": 0}
    return profile
