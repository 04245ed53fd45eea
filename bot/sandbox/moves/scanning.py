"""Everything that a person could read, in one list: what a test searches for words that must not be there."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.messages import Message
from bot.sandbox.moves.seeing import Seeing
from bot.sandbox.shapes import message_json, shared_file_json
from bot.sandbox.views import View


class Scanning(Seeing):
    """Looking at everything at once."""

    def everything_visible_to(self, person: str, *, only_bot: bool = False) -> list[str]:
        """Every text that Slack would show this person, or hand to a program of theirs, as it stands now.

        Of every conversation that they may read: messages, lasting ones and those for them alone, with all
        fields of their blocks, button values, metadata, reactions, and the files with their names and, where
        they are text, their words; statuses, suggested prompts and titles of panes. Of their own: open modals
        and the home tab with private_metadata, state and errors, and the options that menus offered them.
        `&amp;`, `&lt;` and `&gt;` are read as what they stand for. `only_bot` leaves out what people wrote.
        """
        found: list[str] = []
        for channel in self._workspace.readable_channels(self.who(person).user_id):
            found += self._in_channel(person, channel, only_bot)
        for view in self._views_of(person):
            found += texts_in([self._sandbox.views.json(view), view.errors, list(view.offered.values())])
        for status in self.statuses(person):
            found += texts_in([status.text, list(status.loading_messages)])
        found += texts_in(list(self.prompts(person)))
        return list(dict.fromkeys(found))

    def _in_channel(self, person: str, channel: Channel, only_bot: bool) -> Iterator[str]:
        reader = self.who(person)
        whispers = self._workspace.ephemerals[channel.channel_id]
        said = self._workspace.histories[channel.channel_id].all()
        for message in [*said, *(whisper for whisper in whispers if whisper.only_for == reader.user_id)]:
            if message.by_bot or not only_bot:
                yield from self._in_message(message)
            held = self._sandbox.interactions.held(reader.user_id, message)
            yield from texts_in(list(held.offered.values()))
        for (channel_id, _), pane in self._workspace.panes.items():
            if channel_id == channel.channel_id:
                yield from texts_in([pane.title, pane.prompts_title, pane.prompts])

    def _in_message(self, message: Message) -> Iterator[str]:
        shape = message_json(self._workspace, message, all_metadata=True)
        yield from texts_in([shape, message.chunks])
        for file_id in message.files:
            yield from texts_in(shared_file_json(self._workspace, file_id))
            stored = self._workspace.files.get(file_id)
            if stored is not None:
                yield stored.content.decode("utf-8", errors="replace")

    def _views_of(self, person: str) -> list[View]:
        user_id = self.who(person).user_id
        home = self._sandbox.views.home(user_id)
        return [*self._sandbox.views.stack(user_id), *([home] if home else [])]


def texts_in(tree: Any) -> Iterator[str]:
    """Every text and number in a tree of JSON, keys included: an app may name keys as it likes."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield str(name)
            yield from texts_in(value)
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from texts_in(part)
    elif tree is not None and not isinstance(tree, bool) and tree != "":
        yield unescape(str(tree))
