"""The button "Undo": it carries the number of a change, and no right to take it back."""

from slack_bolt.app.async_app import AsyncApp

from auth.undo import CannotUndo
from bot.administering.administration import Administration
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.mapping import MappingDesk
from bot.slack.admin.screens import UNDO, Screen, undoable
from bot.slack.admin.wording import NOTHING_CHANGED, PEOPLE_NAMED
from bot.slack.messages import typed_id


class UndoDesk:
    """Takes changes back."""

    def __init__(self, administration: Administration, mapping: MappingDesk, counter: Counter) -> None:
        self._administration = administration
        self._mapping = mapping
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.action(app, UNDO, self.undo)

    async def undo(self, visit: Visit) -> Screen:
        change_id = typed_id(visit.value)
        if change_id is None:
            raise CannotUndo("There is no such change in the audit log.")
        done = await self._administration.undo(change_id, visit.actor)
        await self._mapping.read_what_is_unread()
        what = "It is undone." if done.change_id is not None else NOTHING_CHANGED
        said = f"{what}\n{done.effect.in_words(PEOPLE_NAMED)}"
        return undoable(said, done.change_id, back=visit.back, label="Redo")
