"""Everything that a person could read, in one list: what a test searches for words that must not be there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.sandbox.channels import Channel
from bot.sandbox.moves.seeing import Seeing
from bot.sandbox.texts import texts_in, texts_of_message
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

    def journal_mark(self) -> int:
        """Where the journal ends now; see `everything_shown_to`."""
        return len(self._sandbox.journal.entries)

    def everything_shown_to(self, person: str, since: int = 0) -> list[str]:
        """Every text that the app put before this person, by whom they were when it did.

        Other than `everything_visible_to` it keeps what was changed, deleted, replaced or closed since, and
        leaves out what one can look up only after joining later. `since`: a `journal_mark`.
        """
        user_id = self.who(person).user_id
        entries = self._sandbox.journal.entries[since:]
        return list(
            dict.fromkeys(text for shown in entries if user_id in shown.readers for text in shown.texts)
        )

    def _in_channel(self, person: str, channel: Channel, only_bot: bool) -> Iterator[str]:
        reader = self.who(person)
        whispers = self._workspace.ephemerals[channel.channel_id]
        said = self._workspace.histories[channel.channel_id].all()
        for message in [*said, *(whisper for whisper in whispers if whisper.only_for == reader.user_id)]:
            if message.by_bot or not only_bot:
                yield from texts_of_message(self._workspace, message)
            held = self._sandbox.interactions.held(reader.user_id, message)
            yield from texts_in(list(held.offered.values()))
        for (channel_id, _), pane in self._workspace.panes.items():
            if channel_id == channel.channel_id:
                yield from texts_in([pane.title, pane.prompts_title, pane.prompts])

    def _views_of(self, person: str) -> list[View]:
        user_id = self.who(person).user_id
        home = self._sandbox.views.home(user_id)
        return [*self._sandbox.views.stack(user_id), *([home] if home else [])]
