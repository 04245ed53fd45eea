"""A visitor plays the people: the same moves for the page in the browser and for tests."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bot.sandbox.channels import Channel
from bot.sandbox.delivery import Outcome
from bot.sandbox.finding import Finding, NewFile, VisitorError
from bot.sandbox.form import fill_form
from bot.sandbox.interactions import find_element
from bot.sandbox.messages import Message
from bot.sandbox.people import Person, person_from
from bot.sandbox.seed import PersonKind, PersonSeed
from bot.sandbox.seen import SeenMessage, SeenStatus, SeenView, see_message, see_view
from bot.sandbox.state_values import Given, ValueMistakeError, action_of, state_of
from bot.sandbox.typed import rich_text, slack_text

T = TypeVar("T")
__all__ = ["NewFile", "Visitor", "VisitorError"]
_LOOK_AGAIN_SECONDS = 0.1


class Visitor(Finding):
    """People by handle or user id; channels by #name or id; `@bot` is the direct message with the bot."""

    # Talking

    async def post(
        self,
        person: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Sequence[NewFile | str] = (),
    ) -> SeenMessage:
        """Say something where the person is a member. `text` is as typed: @name, #channel, https://…"""
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
            client_msg_id=str(uuid.uuid4()),
            files=file_ids,
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
        if name not in {command[0] for command in self._workspace.seed.commands}:
            self._sandbox.posting.slackbot_whisper(
                author.user_id, place.channel_id, f"{name} is not a valid command."
            )
            return Outcome(False, "unknown_command", {})
        return await self._sandbox.interactions.command(author, place, name, text)

    # Clicking

    async def click(
        self, person: str, message_ts: str, channel: str, action_id: str, value: Given = None
    ) -> Outcome:
        """Press a button or choose from a select on a message the person can see."""
        actor, place = self.who(person), self.where(person, channel)
        message = self._workspace.message(place.channel_id, message_ts)
        if message is None or message.only_for not in (None, actor.user_id):
            raise VisitorError(
                f"{actor.name} sees no message {message_ts} in {place.name or 'the conversation'}."
            )
        found = find_element(message.blocks, action_id, value if isinstance(value, str) else None)
        if found is None:
            raise VisitorError(
                f"Message {message_ts} has no button or menu with the action id {action_id!r}."
            )
        return await self._sandbox.interactions.act_on_message(
            actor, message, _said(lambda: action_of(*found, value))
        )

    async def act_in_view(self, person: str, view_id: str, action_id: str, value: Given = None) -> Outcome:
        """Press a button or choose from a select in a modal or the home tab."""
        actor, view = self.who(person), self._view(person, view_id)
        found = find_element(view.body["blocks"], action_id, value if isinstance(value, str) else None)
        if found is None:
            raise VisitorError(f"The view {view_id} has nothing with the action id {action_id!r}.")
        block, element = found
        action = _said(lambda: action_of(block, element, value))
        if element["type"] not in ("button", "overflow"):
            state = _said(lambda: state_of(element, value))
            view.values.setdefault(block["block_id"], {})[action_id] = state
        return await self._sandbox.interactions.act_in_view(actor, view, action)

    async def submit_view(
        self, person: str, view_id: str, values: Mapping[str, Given] | None = None
    ) -> Outcome:
        """Fill in and submit a modal. `values`: action id or block id -> text, choice or choices.

        A required field left empty is refused at once, as Slack's client does: see `field_errors`.
        """
        actor, view = self.who(person), self._view(person, view_id)
        missing = _said(lambda: fill_form(view, values or {}))
        if missing:
            self._sandbox.views.refuse(view, missing)
            return Outcome(False, "required_field_empty", {"response_action": "errors", "errors": missing})
        return await self._sandbox.interactions.submit_view(actor, view)

    async def close_view(self, person: str, view_id: str, *, whole_stack: bool = False) -> None:
        view = self._view(person, view_id)
        await self._sandbox.interactions.close_view(self.who(person), view, cleared=whole_stack)

    # Coming and going

    async def open_dm(self, person: str) -> None:
        """Look into the direct message with the bot: app_home_opened, tab messages."""
        self._sandbox.events.home_opened(self.who(person).user_id, self._direct(person), "messages", None)

    async def open_home(self, person: str) -> SeenView | None:
        """Look at the bot's home tab; returns what is there now."""
        view = self._sandbox.views.home(self.who(person).user_id)
        shape = self._sandbox.views.json(view) if view else None
        self._sandbox.events.home_opened(self.who(person).user_id, self._direct(person), "home", shape)
        return self.home_of(person)

    async def join(self, person: str, channel: str) -> None:
        joiner, place = self.who(person), self.where(person, channel)
        if place.kind != "channel" or not joiner.is_full_member:
            raise VisitorError(f"{joiner.name} cannot join #{place.name} without an invitation.")
        self._admit(joiner, place)

    async def invite(self, channel: str, person: str) -> None:
        """Bring a person or the bot into a channel."""
        place = self._workspace.find_channel(channel)
        if place is None or place.kind == "im":
            raise VisitorError(f"There is no channel {channel}.")
        self._admit(self.who(person), place)

    def _admit(self, person: Person, channel: Channel) -> None:
        if person.user_id in channel.members:
            return
        channel.members.append(person.user_id)
        self._sandbox.events.membership("member_joined_channel", person.user_id, channel)
        self._workspace.changes.ring()

    async def leave(self, person: str, channel: str) -> None:
        leaver, place = self.who(person), self._workspace.find_channel(channel)
        if place is None or place.kind == "im" or leaver.user_id not in place.members:
            raise VisitorError(f"{leaver.name} is not in {channel}.")
        place.members.remove(leaver.user_id)
        self._sandbox.events.membership("member_left_channel", leaver.user_id, place)
        self._workspace.changes.ring()

    async def add_person(self, seed: PersonSeed) -> None:
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
        """Change what the workspace says of somebody: user_change."""
        known = self.who(person)
        changes = {"deleted": deleted, "kind": kind, "title": title, "name": name, "is_admin": is_admin}
        for field, value in changes.items():
            if value is not None:
                setattr(known, field, value)
        if kind is not None:
            home = PersonSeed(known.user_id, known.handle, known.name, kind=kind)
            known.team_id = person_from(home, self._workspace.team_id).team_id
        known.updated = int(self._sandbox.clock())
        self._sandbox.events.person("user_change", known)
        self._workspace.changes.ring()

    # Seeing

    def visible_to(self, person: str, channel: str, thread_ts: str | None = None) -> tuple[SeenMessage, ...]:
        """The channel's top level, or one thread with its root; the person's own ephemerals included."""
        reader, place = self.who(person), self.where(person, channel)
        history = self._workspace.histories[place.channel_id]
        whispers = [m for m in self._workspace.ephemerals[place.channel_id] if m.only_for == reader.user_id]
        if thread_ts is None:
            shown = [*history.top_level(), *(m for m in whispers if not m.thread_ts)]
        else:
            root = history.get(thread_ts)
            roots = [root] if root else []
            shown = [*roots, *history.replies(thread_ts), *(m for m in whispers if m.thread_ts == thread_ts)]
        return tuple(see_message(self._workspace, m) for m in sorted(shown, key=lambda m: m.ts))

    def views_open_for(self, person: str) -> tuple[SeenView, ...]:
        """The stack of modals, topmost last."""
        stack = self._sandbox.views.stack(self.who(person).user_id)
        return tuple(see_view(view, self._sandbox.views.json(view)) for view in stack)

    def home_of(self, person: str) -> SeenView | None:
        home = self._sandbox.views.home(self.who(person).user_id)
        return see_view(home, self._sandbox.views.json(home)) if home else None

    def statuses(self, person: str) -> tuple[SeenStatus, ...]:
        reader = self.who(person)
        return tuple(
            SeenStatus(status.channel_id, status.thread_ts, status.text, status.loading_messages)
            for status in self._workspace.live_statuses()
            if self._workspace.may_read(reader.user_id, self._workspace.channels[status.channel_id])
        )

    def prompts(self, person: str) -> tuple[dict[str, str], ...]:
        """What the app suggests to ask in the direct message; until it says so, what its manifest suggests."""
        told = tuple(self._workspace.pane(self._direct(person).channel_id, "").prompts)
        return told or tuple({"title": t, "message": m} for t, m in self._workspace.seed.prompts)

    def channels_of(self, person: str) -> tuple[Channel, ...]:
        """The channels a person can look into, the direct message left out."""
        reader = self.who(person)
        return tuple(c for c in self._workspace.readable_channels(reader.user_id) if c.kind != "im")

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """Evaluate at every change until the result is true, and return it. TimeoutError after `timeout` s."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            version = self._workspace.changes.version
            result = predicate()
            if result:
                return result
            left = deadline - loop.time()
            if left <= 0:
                raise TimeoutError(
                    f"Nothing true within {timeout:g} s; last was {result!r}.\n{self._lately()}"
                )
            # Not all that a test may wait for is visible: look again now and then without being rung.
            await self._workspace.changes.after(version, min(left, _LOOK_AGAIN_SECONDS))

    async def wait_for_reply(
        self,
        person: str,
        channel: str,
        thread_ts: str | None = None,
        *,
        containing: str = "",
        after: str = "",
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> SeenMessage:
        """The bot's first finished message that this person sees there and that holds the words."""

        def reply() -> SeenMessage | None:
            for message in self.visible_to(person, channel, thread_ts):
                if (
                    message.by_bot
                    and not message.streaming
                    and message.ts > after
                    and containing in message.plain
                ):
                    return message
            return None

        found = await self.wait_for(reply, timeout)
        assert found is not None
        return found

    def _lately(self) -> str:
        said = [m for history in self._workspace.histories.values() for m in history.all()]
        said += [m for whispers in self._workspace.ephemerals.values() for m in whispers]
        lines = [
            f"{m.ts} {m.channel_id} {self._workspace.person_name(m.user_id)}"
            f"{' (to one reader)' if m.only_for else ''}: {m.text[:200]}"
            for m in sorted(said, key=lambda m: m.ts)[-8:]
        ]
        return "Lately said:\n" + "\n".join(lines) if lines else "Nobody has said anything."


def _said(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueMistakeError as mistake:
        raise VisitorError(str(mistake)) from mistake
