"""Buttons, menus and modals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from bot.sandbox.delivery import Outcome
from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.form import fill_form
from bot.sandbox.interactions import find_element
from bot.sandbox.state_values import Given, ValueMistakeError, action_of, state_of

T = TypeVar("T")


class Clicking(Finding):
    """Moves of a person who presses, chooses and fills in."""

    async def click(
        self, person: str, message_ts: str, channel: str, action_id: str, value: Given = None
    ) -> Outcome:
        """Press a button or choose from a select on a message the person can see."""
        actor, place = self._present(person, "click"), self.where(person, channel)
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
        actor, view = self._present(person, "click"), self._view(person, view_id)
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
        actor, view = self._present(person, "submit"), self._view(person, view_id)
        missing = _said(lambda: fill_form(view, values or {}))
        if missing:
            self._sandbox.views.refuse(view, missing)
            return Outcome(False, "required_field_empty", {"response_action": "errors", "errors": missing})
        return await self._sandbox.interactions.submit_view(actor, view)

    async def close_view(self, person: str, view_id: str, *, whole_stack: bool = False) -> None:
        view = self._view(person, view_id)
        await self._sandbox.interactions.close_view(self.who(person), view, cleared=whole_stack)


def _said(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueMistakeError as mistake:
        raise VisitorError(str(mistake)) from mistake
