"""Buttons, menus and modals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.sandbox.delivery import Outcome
from bot.sandbox.finding import VisitorError
from bot.sandbox.form import REQUIRED, fill_form, input_blocks, with_offered
from bot.sandbox.interactions import Found, find_element
from bot.sandbox.messages import Message
from bot.sandbox.moves.choosing import Choosing
from bot.sandbox.people import Person
from bot.sandbox.state_values import Given, ValueMistakeError, action_of, state_of
from bot.sandbox.suggestions import Held, OptionsRefusedError, is_long_enough, offered_by
from bot.sandbox.views import View

T = TypeVar("T")


NOT_CONFIRMED = Outcome(False, "not_confirmed", {})
UNSENT = Outcome(True, None, {})  # an input block tells the app nothing before it is submitted


class Clicking(Choosing):
    """Moves of a person who presses, chooses and fills in.

    A `value` is an option's value, words, a number or a date (2026-11-30) as text; a person by handle or id; a
    conversation by #name or id; several of them for what takes several.
    """

    async def click(
        self,
        person: str,
        message_ts: str,
        channel: str,
        action_id: str,
        value: Given = None,
        *,
        confirmed: bool = True,
    ) -> Outcome:
        """Press a button or choose from a menu on a message the person can see.

        `confirmed`: what they answer to the element's confirmation dialog, if it has one.
        """
        actor, message = self._present(person, "click"), self._message(person, channel, message_ts)
        found = find_element(message.blocks, action_id, value if isinstance(value, str) else None)
        if found is None:
            raise VisitorError(
                f"Message {message_ts} has no button or menu with the action id {action_id!r}."
            )
        if found[1].get("confirm") and not confirmed:
            return NOT_CONFIRMED
        action = self._act(actor, found, value, self._sandbox.interactions.held(actor.user_id, message))
        if not _is_told(found[0]):
            return UNSENT
        return await self._sandbox.interactions.act_on_message(actor, message, action)

    async def shortcut(self, person: str, message_ts: str, channel: str, callback_id: str) -> Outcome:
        """Choose a shortcut in the menu of a message that the person can see; a whispered one has none."""
        actor, message = (
            self._present(person, "choose a shortcut"),
            self._message(person, channel, message_ts),
        )
        if callback_id not in dict(self._workspace.seed.shortcuts) or message.only_for is not None:
            raise VisitorError(f"Message {message_ts} offers no shortcut {callback_id!r}.")
        return await self._sandbox.interactions.shortcut(actor, message, callback_id)

    async def global_shortcut(self, person: str, callback_id: str) -> Outcome:
        """Choose a shortcut in the menu beside the composer."""
        actor = self._present(person, "choose a shortcut")
        if callback_id not in dict(self._workspace.seed.global_shortcuts):
            raise VisitorError(f"The app offers no global shortcut {callback_id!r}.")
        return await self._sandbox.interactions.global_shortcut(actor, callback_id)

    async def act_in_view(
        self, person: str, view_id: str, action_id: str, value: Given = None, *, confirmed: bool = True
    ) -> Outcome:
        """Press a button or choose from a menu in a modal or the home tab. `confirmed` as for `click`."""
        actor, view = self._present(person, "click"), self._view(person, view_id)
        found = find_element(view.body["blocks"], action_id, value if isinstance(value, str) else None)
        if found is None:
            raise VisitorError(f"The view {view_id} has nothing with the action id {action_id!r}.")
        if found[1].get("confirm") and not confirmed:
            return NOT_CONFIRMED
        action = self._act(actor, found, value, view)
        if not _is_told(found[0]):
            return UNSENT
        return await self._sandbox.interactions.act_in_view(actor, view, action)

    def _act(self, actor: Person, found: Found, value: Given, holder: View | Held) -> dict[str, Any]:
        """The entry of `actions`; whatever holds a state holds the new one from now on."""
        block, element = found[0], with_offered(holder.offered, *found)
        chosen = self._chosen(actor, element, value)
        action = _said(lambda: action_of(block, element, chosen))
        if holder.values.get(block["block_id"], {}).get(element["action_id"]) is not None:
            holder.values[block["block_id"]][element["action_id"]] = _said(lambda: state_of(element, chosen))
        return action

    async def suggestions(
        self,
        person: str,
        action_id: str,
        query: str = "",
        *,
        view_id: str | None = None,
        channel: str | None = None,
        message_ts: str | None = None,
    ) -> tuple[dict[str, Any], ...]:
        """Type into a menu that the app fills, in a view or a message; returns the options that it shows.

        They can be chosen from then on, as long as the message or view asks for it. Fewer letters than its
        min_query_length: none, and nobody is asked.
        """
        actor = self._present(person, "choose")
        place: View | Message
        if view_id is not None:
            place = self._view(person, view_id)
            blocks, offered = place.body["blocks"], place.offered
        else:
            place = self._message(person, channel or "", message_ts or "")
            blocks, offered = place.blocks, self._sandbox.interactions.held(actor.user_id, place).offered
        found = find_element(blocks, action_id)
        if found is None or "external_select" not in found[1]["type"]:
            raise VisitorError(f"There is no menu with the action id {action_id!r} that the app fills.")
        if not is_long_enough(found[1], query):
            return ()
        key = (found[0]["block_id"], action_id)
        outcome = await self._sandbox.interactions.suggest(actor, place, *key, query)
        if outcome.error:
            raise VisitorError(f"The menu could not be loaded: {outcome.error}.")
        shown = _said(lambda: offered_by(outcome.payload))
        self._sandbox.journal.to("options", actor.user_id, shown)
        known = offered.setdefault(key, [])
        known += [option for option in shown if option not in known]
        return tuple(shown)

    def _message(self, person: str, channel: str, ts: str) -> Message:
        reader, place = self.who(person), self.where(person, channel)
        message = self._workspace.message(place.channel_id, ts)
        if message is None or message.only_for not in (None, reader.user_id):
            raise VisitorError(f"{reader.name} sees no message {ts} in {place.name or 'the conversation'}.")
        return message

    async def submit_view(
        self, person: str, view_id: str, values: Mapping[str, Given] | None = None
    ) -> Outcome:
        """Fill in and submit a modal. `values`: action id or block id -> text, choice or choices.

        A required field left empty, or one that does not take its value, is refused at once, as Slack's client
        does: see `field_errors`.
        """
        actor, view = self._present(person, "submit"), self._view(person, view_id)
        given = self._named(actor, view, values or {})
        complaints = _said(lambda: fill_form(view, given))
        if complaints:
            self._sandbox.views.refuse(view, complaints)
            error = "required_field_empty" if REQUIRED in complaints.values() else "invalid_field_value"
            return Outcome(False, error, {"response_action": "errors", "errors": complaints})
        return await self._sandbox.interactions.submit_view(actor, view)

    def _named(self, actor: Person, view: View, values: Mapping[str, Given]) -> dict[str, Given]:
        fields = {
            name: block["element"]
            for block in input_blocks(view)
            for name in (block["block_id"], block["element"]["action_id"])
        }
        return {
            name: self._chosen(actor, fields[name], given) if name in fields else given
            for name, given in values.items()
        }

    async def close_view(self, person: str, view_id: str, *, whole_stack: bool = False) -> None:
        view = self._view(person, view_id)
        await self._sandbox.interactions.close_view(self.who(person), view, cleared=whole_stack)


def _is_told(block: Mapping[str, Any]) -> bool:
    return block["type"] != "input" or bool(block.get("dispatch_action"))


def _said(make: Callable[[], T]) -> T:
    try:
        return make()
    except (ValueMistakeError, OptionsRefusedError) as mistake:
        raise VisitorError(str(mistake)) from mistake
