"""What menus of people and conversations offer to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.people import Person
from bot.sandbox.state_values import Given

_KINDS = {"im": "im", "mpim": "mpim", "private": "group", "public": "channel"}


class Choosing(Finding):
    """People are named by handle or id, conversations by #name, id or `@bot`."""

    def _chosen(self, person: Person, element: Mapping[str, Any], given: Given) -> Given:
        """Names turned into the ids that Slack sends; refused where the menu would not offer them."""
        kind = str(element["type"])
        picks = {
            "users_select": self._pick_user,
            "conversations_select": self._pick_conversation,
            "channels_select": self._pick_channel,
        }
        pick = picks.get(kind.removeprefix("multi_"))
        if pick is None or not given:
            return given
        names = [given] if isinstance(given, str) else list(given)
        return [pick(person, element, name) for name in names]

    def _pick_user(self, person: Person, element: Mapping[str, Any], name: str) -> str:
        return self._present(name, "be chosen").user_id

    def _pick_conversation(self, person: Person, element: Mapping[str, Any], name: str) -> str:
        place = self.where(person.user_id, name)
        wanted = element.get("filter") or {}
        kinds = [_KINDS[kind] for kind in wanted.get("include") or _KINDS]
        foreign = place.shared and wanted.get("exclude_external_shared_channels")
        if place.kind not in kinds or foreign or place.archived:
            raise VisitorError(f"The menu does not offer {name}.")
        return place.channel_id

    def _pick_channel(self, person: Person, element: Mapping[str, Any], name: str) -> str:
        place = self.where(person.user_id, name)
        if place.kind != "channel" or place.archived:
            raise VisitorError(f"The menu offers public channels, and {name} is none.")
        return place.channel_id
