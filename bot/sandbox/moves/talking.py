"""Saying, changing and taking back; slash commands."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bot.sandbox.channels import Channel
from bot.sandbox.delivery import Outcome
from bot.sandbox.finding import Finding, NewFile, VisitorError
from bot.sandbox.messages import Message
from bot.sandbox.people import Person
from bot.sandbox.seen import SeenMessage, see_message
from bot.sandbox.typed import rich_text, slack_text


class Talking(Finding):
    """Moves of a person who writes."""

    async def post(
        self,
        person: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Sequence[NewFile | str] = (),
        broadcast: bool = False,
    ) -> SeenMessage:
        """Say something where the person is a member. `text` is as typed: @name, #channel, https://…

        `broadcast`: show a reply in the channel too. Another app's bot user may speak as well: its messages
        carry a bot_id.
        """
        author, place = self.who(person), self.where(person, channel)
        self._check_may_write(author, place)
        file_ids = [await self._file_id(author, new) for new in files]
        marked = slack_text(text, *self._names())
        message = Message(
            self._workspace.stamps.next(),
            place.channel_id,
            author.user_id,
            marked,
            rich_text(marked) if marked else [],
            thread_ts=self._thread_root(place, thread_ts),
            subtype="file_share" if file_ids else None,
            client_msg_id=str(uuid.uuid4()) if author.kind != "bot" else None,
            files=file_ids,
            broadcast=broadcast and thread_ts is not None,
        )
        self._sandbox.posting.publish(message)
        self._offer_invitation(author, place, message)
        return see_message(self._workspace, message)

    async def dm(
        self, person: str, text: str, *, thread_ts: str | None = None, files: Sequence[NewFile | str] = ()
    ) -> SeenMessage:
        """Say something to the bot alone."""
        return await self.post(
            person, self._direct(person).channel_id, text, thread_ts=thread_ts, files=files
        )

    async def say_as_integration(self, channel: str, username: str, text: str) -> SeenMessage:
        """What an old integration posts: subtype bot_message, a name and no user. `text` is in Slack's marks."""
        place = self._channel(channel)
        ts = self._workspace.stamps.next()
        author = f"U{username.upper().replace(' ', '')}"
        message = Message(ts, place.channel_id, author, text, subtype="bot_message", username=username)
        self._sandbox.posting.publish(message)
        return see_message(self._workspace, message)

    async def react(self, person: str, channel: str, ts: str, name: str) -> None:
        """Add a reaction to a message, or take one's own back: reaction_added, reaction_removed."""
        actor, message = self._present(person, "react"), self._lasting(person, channel, ts)
        users = message.reactions.setdefault(name, [])
        kind = "reaction_removed" if actor.user_id in users else "reaction_added"
        users.remove(actor.user_id) if actor.user_id in users else users.append(actor.user_id)
        if not users:
            del message.reactions[name]
        self._sandbox.events.reaction(kind, actor.user_id, name, message)
        self._workspace.changes.ring()

    async def delete_file(self, person: str, file_id: str) -> None:
        """Take a file of one's own away; the messages that shared it keep a tombstone: file_deleted."""
        stored = self._workspace.files.get(file_id)
        if stored is None or stored.user_id != self.who(person).user_id:
            raise VisitorError(f"{self.who(person).name} has no file {file_id}.")
        self._sandbox.events.file_deleted(stored)
        stored.deleted, stored.content = True, b""
        self._workspace.changes.ring()

    async def rename_file(self, person: str, file_id: str, title: str) -> None:
        """Give a file of one's own another title: file_change."""
        stored = self._workspace.files.get(file_id)
        if stored is None or stored.user_id != self.who(person).user_id:
            raise VisitorError(f"{self.who(person).name} has no file {file_id}.")
        stored.title = title
        self._sandbox.events.file_changed(stored)
        self._workspace.changes.ring()

    async def upload(self, person: str, name: str, content: bytes, mimetype: str | None = None) -> str:
        """Hold a file ready to be posted; returns its id."""
        now = int(self._sandbox.clock())
        return self._workspace.files.add(name, content, self.who(person).user_id, now, mimetype).file_id

    async def _file_id(self, author: Person, new: NewFile | str) -> str:
        if isinstance(new, NewFile):
            return await self.upload(author.user_id, new.name, new.content, new.mimetype)
        stored = self._workspace.files.get(new)
        if stored is None or stored.user_id != author.user_id:
            raise VisitorError(f"{author.name} has no file {new}.")
        return new

    def _offer_invitation(self, author: Person, place: Channel, message: Message) -> None:
        """Slack hints at it when somebody mentions an app that is not there to hear it."""
        bot = self._workspace.bot
        if f"<@{bot.user_id}>" in message.text and bot.user_id not in place.members:
            hint = (
                f"You mentioned <@{bot.user_id}>, but they are not in this channel. Invite them to be heard."
            )
            self._sandbox.posting.slackbot_whisper(author.user_id, place.channel_id, hint, message.thread_ts)

    async def edit(self, person: str, channel: str, ts: str, text: str) -> SeenMessage:
        message = self._own(person, channel, ts)
        marked = slack_text(text, *self._names())
        self._sandbox.posting.revise(message, {"text": marked, "blocks": rich_text(marked)})
        return see_message(self._workspace, message)

    async def delete(self, person: str, channel: str, ts: str) -> None:
        self._sandbox.posting.withdraw(self._own(person, channel, ts))

    async def command(self, person: str, channel: str, name: str, text: str = "") -> Outcome:
        """Run a slash command and wait for its acknowledgement."""
        author, place = self.who(person), self.where(person, channel)
        self._check_may_write(author, place)
        known = {command[0] for command in self._workspace.seed.commands}
        if name not in known or not self._sandbox.installed:
            self._sandbox.posting.slackbot_whisper(
                author.user_id, place.channel_id, f"{name} is not a valid command."
            )
            return Outcome(False, "unknown_command", {})
        return await self._sandbox.interactions.command(author, place, name, text)
