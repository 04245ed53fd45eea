"""Taking changes back. A button carries the number of a change, and no right to undo it.

Under what was just done "Undo" acts at once; in the audit log, where a change may be long ago, its effect is shown
first.
"""

from slack_bolt.app.async_app import AsyncApp

from auth.undo import CannotUndo
from bot.administering.administration import Administration
from bot.administering.changes import UndoChange
from bot.slack.admin import audit_screens
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.mapping import MappingDesk
from bot.slack.admin.screens import UNDO, UNDO_LATER, Screen, undoable
from bot.slack.admin.wording import NOTHING_CHANGED, PEOPLE_NAMED, would_be
from bot.slack.messages import typed_id
from bot.slack.views import plain_blocks

UNDO_FORM = "admin_undo_form"


class UndoDesk:
    """Takes changes back."""

    def __init__(self, administration: Administration, mapping: MappingDesk, counter: Counter) -> None:
        self._administration = administration
        self._mapping = mapping
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.action(app, UNDO, self.undo)
        self._counter.action(app, UNDO_LATER, self.dry_run)
        self._counter.form(app, UNDO_FORM, self.confirmed)

    async def undo(self, visit: Visit) -> Screen:
        return await self._undo(_change_named(visit.value), visit)

    async def dry_run(self, visit: Visit) -> Screen:
        change = UndoChange(_change_named(visit.value))
        effect = await self._administration.preview(change, visit.actor)
        return Screen(
            "Dry run",
            plain_blocks(would_be(change, effect)),
            form=UNDO_FORM,
            submit="Undo it",
            carried={"change": change.change_id},
            back=(audit_screens.HOME, "0"),
        )

    async def confirmed(self, visit: Visit) -> Screen:
        return await self._undo(_change_named(str(visit.carried.get("change"))), visit)

    async def _undo(self, change_id: int, visit: Visit) -> Screen:
        done = await self._administration.undo(change_id, visit.actor)
        await self._mapping.read_what_is_unread()
        what = "It is undone." if done.change_id is not None else NOTHING_CHANGED
        said = f"{what}\n{done.effect.in_words(PEOPLE_NAMED)}"
        return undoable(said, done.change_id, back=visit.back, label="Redo")


def _change_named(value: str) -> int:
    change_id = typed_id(value)
    if change_id is None:
        raise CannotUndo("There is no such change in the audit log.")
    return change_id
