"""What the workspace says of its people: who they are, and whether they still belong."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.channels import Channel
from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.people import Person, person_from
from bot.sandbox.seed import PersonKind, PersonSeed


class Standing(Finding):
    """Moves of whoever administers the workspace."""

    async def add_person(self, seed: PersonSeed) -> None:
        """Somebody new signs in for the first time: team_join."""
        if self._workspace.find_person(seed.handle) or seed.user_id in self._workspace.people:
            raise VisitorError(f"{seed.handle} is in the workspace already.")
        person = self._workspace.add_person(seed)
        self._workspace.open_direct_message(person.user_id)
        self._sandbox.events.person("team_join", person)
        self._workspace.changes.ring()

    async def change_person(
        self,
        person: str,
        *,
        deleted: bool | None = None,
        kind: PersonKind | None = None,
        title: str | None = None,
        name: str | None = None,
        is_admin: bool | None = None,
    ) -> None:
        """Change the record of somebody, and nothing that follows from it: user_change.

        To deactivate somebody as Slack does, use `deactivate`: it takes them out of their channels too.
        """
        known = self.who(person)
        changes = {"deleted": deleted, "kind": kind, "title": title, "name": name, "is_admin": is_admin}
        for field, value in changes.items():
            if value is not None:
                setattr(known, field, value)
        if kind is not None:
            self._become(known, kind)
        self._tell(known)

    async def deactivate(self, person: str) -> None:
        """Take somebody's account away: out of every channel and user group, signed out, and user_change.

        Slack sends no member_left_channel and no subteam event for it.
        """
        gone = self.who(person)
        if gone.deleted:
            raise VisitorError(f"{gone.name} is deactivated already.")
        gone.deleted, gone.is_admin, gone.is_owner = True, False, False
        for channel in self._channels_with(gone):
            channel.members.remove(gone.user_id)
        for group in self._workspace.groups.values():
            group.members = [user for user in group.members if user != gone.user_id]
        self._sandbox.views.clear(gone.user_id)
        self._tell(gone)

    async def reactivate(self, person: str) -> None:
        """Let somebody sign in again. Slack brings nobody back into the channels they were in."""
        back = self.who(person)
        if not back.deleted:
            raise VisitorError(f"{back.name} is not deactivated.")
        back.deleted = False
        self._tell(back)

    async def change_kind(self, person: str, kind: PersonKind, *, keep: Sequence[str] | None = None) -> None:
        """Make a guest of a member, or a member of a guest.

        A guest stays in the channels of `keep` (names or ids; None: all, or the first for a single-channel
        guest) and leaves the others.
        """
        known = self.who(person)
        if kind not in ("member", "guest", "single_channel_guest") or known.kind in ("bot", "outsider"):
            raise VisitorError(f"{known.name} is {known.standing} and cannot become {kind}.")
        before = self._channels_with(known)
        kept = before if kind == "member" else self._kept(known, before, keep)
        if kind == "single_channel_guest":
            kept = kept[:1]
        self._become(known, kind)
        self._tell(known)
        for channel in before:
            if channel not in kept:
                channel.members.remove(known.user_id)
                self._sandbox.events.membership("member_left_channel", known.user_id, channel)

    def _kept(self, person: Person, channels: list[Channel], keep: Sequence[str] | None) -> list[Channel]:
        if keep is None:
            return channels
        wanted = [self.where(person.user_id, which) for which in keep]
        return [channel for channel in wanted if channel in channels]

    async def set_flags(
        self, person: str, *, is_admin: bool | None = None, is_owner: bool | None = None
    ) -> None:
        """Give or take the workspace's own admin or owner flag: user_change."""
        known = self.who(person)
        if (is_admin or is_owner) and not (known.kind == "member" and known.is_full_member):
            raise VisitorError(f"{known.name} is {known.standing}; only full members administer a workspace.")
        known.is_admin = known.is_admin if is_admin is None else is_admin
        known.is_owner = known.is_owner if is_owner is None else is_owner
        self._tell(known)

    async def uninstall_app(self) -> None:
        """Take the app out of the workspace: tokens_revoked, app_uninstalled, and it hears nothing more."""
        self._sandbox.uninstall()

    def _become(self, person: Person, kind: PersonKind) -> None:
        person.kind = kind
        if person.is_guest:
            person.is_admin = person.is_owner = False
        home = PersonSeed(person.user_id, person.handle, person.name, kind=kind)
        person.team_id = person_from(home, self._workspace.team_id).team_id

    def _channels_with(self, person: Person) -> list[Channel]:
        """The channels they are in; direct messages are nobody's to leave."""
        everywhere = self._workspace.channels.values()
        return [c for c in everywhere if c.kind in ("channel", "group") and person.user_id in c.members]

    def _tell(self, person: Person) -> None:
        person.updated = int(self._sandbox.clock())
        self._sandbox.events.person("user_change", person)
        self._workspace.changes.ring()
