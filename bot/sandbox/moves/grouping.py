"""User groups: who is in them, and whether they are in use."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.groups import Group


class Grouping(Finding):
    """Moves of whoever looks after the workspace's user groups."""

    async def create_group(
        self,
        handle: str,
        members: Sequence[str] = (),
        *,
        name: str = "",
        group_id: str = "",
        by: str | None = None,
    ) -> str:
        """A new user group: subteam_created. Returns its id. `members` and `by` are handles or user ids."""
        if not self._workspace.seed.paid_plan:
            raise VisitorError("User groups need a paid plan, and this workspace has none.")
        if self._workspace.find_group(handle) or self._workspace.find_group(group_id):
            raise VisitorError(f"There is a user group {handle} already.")
        users = [self._groupable(person) for person in members]
        now, author = int(self._sandbox.clock()), self._author(by)
        group = Group(
            group_id or self._workspace.new_id("S"),
            handle.removeprefix("@"),
            name or handle.removeprefix("@"),
            list(dict.fromkeys(users)),
            created=now,
            updated=now,
            created_by=author,
            updated_by=author,
        )
        self._workspace.groups[group.group_id] = group
        self._sandbox.events.group("subteam_created", group)
        self._workspace.changes.ring()
        return group.group_id

    async def add_to_group(self, group: str, *people: str, by: str | None = None) -> None:
        """Bring people into a user group: subteam_members_changed, and subteam_updated with all members."""
        place = self.group(group)
        users = [self._groupable(person) for person in people]
        self._change_members(place, [*place.members, *users], by)

    async def remove_from_group(self, group: str, *people: str, by: str | None = None) -> None:
        """Take people out of a user group. Slack keeps the last one in: it must be disabled instead."""
        place = self.group(group)
        gone = [self.who(person).user_id for person in people]
        left = [user for user in place.members if user not in gone]
        if not left:
            raise VisitorError(
                f"Slack keeps at least one person in {place.handle}; disable the group instead."
            )
        self._change_members(place, left, by)

    async def disable_group(self, group: str, *, by: str | None = None) -> None:
        """Put a user group out of use: subteam_updated with its date_delete."""
        place = self.group(group)
        place.deleted, place.deleted_by = int(self._sandbox.clock()), self._author(by)
        self._note(place, by)

    async def enable_group(self, group: str, *, by: str | None = None) -> None:
        """Bring a disabled user group back, with the members it had: subteam_updated."""
        place = self.group(group)
        place.deleted, place.deleted_by = 0, None
        self._note(place, by)

    async def rename_group(
        self, group: str, *, handle: str | None = None, name: str | None = None, by: str | None = None
    ) -> None:
        """Give a user group another handle or name; its id stays: subteam_updated."""
        place = self.group(group)
        place.handle, place.name = handle or place.handle, name or place.name
        self._note(place, by)

    def group(self, which: str) -> Group:
        """By id or handle, disabled ones too."""
        found = self._workspace.find_group(which)
        if found is None:
            raise VisitorError(f"There is no user group {which}.")
        return found

    def _groupable(self, person: str) -> str:
        found = self._present(person, "be in a user group")
        if found.kind in ("bot", "outsider"):
            raise VisitorError(f"{found.name} cannot be in a user group: {found.standing}.")
        return found.user_id

    def _author(self, by: str | None) -> str:
        return self.who(by).user_id if by else ""

    def _change_members(self, group: Group, members: Sequence[str], by: str | None) -> None:
        before, group.members = group.members, list(dict.fromkeys(members))
        added = [user for user in group.members if user not in before]
        removed = [user for user in before if user not in group.members]
        if not added and not removed:
            return
        previous, group.updated = group.updated, int(self._sandbox.clock())
        self._sandbox.events.group_members(group, previous, added, removed)
        self._note(group, by)

    def _note(self, group: Group, by: str | None) -> None:
        group.updated, group.updated_by = int(self._sandbox.clock()), self._author(by)
        self._sandbox.events.group("subteam_updated", group)
        self._workspace.changes.ring()
