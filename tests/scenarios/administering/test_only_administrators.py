"""The role is asked for at every command, click, form and menu, at the moment of use; and nobody else sees anything."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.sandbox.state_values import initial_values
from bot.sandbox.views import View
from bot.slack.admin import access_screens as access
from bot.slack.admin import audit_screens as audit
from bot.slack.admin import role_screens as roles
from bot.slack.admin.counter import ADMINS_ONLY, BROKEN, Counter
from bot.slack.admin.desk import AdminDesk
from bot.slack.admin.screens import UNDO
from tests.scenarios.administering.moves import (
    command,
    document,
    events,
    give,
    modal,
    press,
    roles_of,
    submit,
    take_everything_from_pia,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office

KINDS = {"command": "command", "action": "action", "form": "view", "menu": "options"}
"""How the counter calls what it registers, and how Bolt does."""
FORGED = ("", "0", "-1", "9" * 30, "1; DROP TABLE", "people people people", "U0NOBODY kings", "\x00", "{}")
CARRIED = (
    "",
    "{",
    "[]",
    '{"back": [1, 2], "role": {}, "of": [], "document": {}, "documents": 3, "collection": "x"}',
    '{"change": "documents", "documents": ["x"], "readers": "people"}',
    '{"change": "documents", "documents": [1], "readers": 7}',
    '{"change": "label", "label": true, "readers": "people"}',
    '{"change": "define", "name": "x", "readers": "people", "owner": "", "lent": "", "lent_for": 1e99}',
    '{"change": "expire", "documents": [1], "at": "soon"}',
    '{"change": "fade", "name": "nowhere", "days": -1}',
    '{"change": "remove source", "source": true, "with_documents": 1}',
    '{"change": "own", "documents": [1], "role": {}, "person": "x", "handle": 3}',
)


class Registered:
    """Everything that the desk listens to, by Bolt's kind; and what of it goes over the counter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bolt: dict[str, set[str]] = {kind: set() for kind in KINDS.values()}
        self.counter: dict[str, set[str]] = {kind: set() for kind in KINDS.values()}
        with monkeypatch.context() as patched:
            for kind, bolts in KINDS.items():
                patched.setattr(AsyncApp, bolts, self._note(self.bolt[bolts]))
                patched.setattr(Counter, kind, self._note_and_go_on(kind, self.counter[bolts]))
            nobody: Any = None
            AdminDesk(nobody, nobody, 1, nobody, nobody, nobody, nobody).register(AsyncApp(token="xoxb-none"))

    @staticmethod
    def _note(names: set[str]) -> Callable[..., Any]:
        def register(_app: AsyncApp, name: str) -> Callable[[Any], Any]:
            names.add(name)
            return lambda listener: listener

        return register

    @staticmethod
    def _note_and_go_on(kind: str, names: set[str]) -> Callable[..., Any]:
        original = getattr(Counter, kind)

        def register(self: Counter, app: AsyncApp, name: str, serve: Any) -> None:
            names.add(name)
            original(self, app, name, serve)

        return register


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Registered:
    return Registered(monkeypatch)


def test_all_that_is_listened_to_goes_over_the_counter(registered: Registered) -> None:
    assert registered.bolt == registered.counter
    assert registered.bolt["command"] == {"/roles", "/access", "/answers", "/docs", "/audit"}
    assert all(len(names) > 3 for kind, names in registered.bolt.items() if kind != "command")


def left_open(office: Office, person: str, carried: str = "", form: str = "left") -> View:
    """A modal as somebody might still have it open, or have forged it."""
    field = {
        "type": "input",
        "block_id": "name",
        "optional": True,
        "label": {"type": "plain_text", "text": "Name"},
        "element": {"type": "plain_text_input", "action_id": "name"},
    }
    body = {
        "type": "modal",
        "callback_id": form,
        "private_metadata": carried,
        "title": {"type": "plain_text", "text": "Left open"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [field],
    }
    views = office.sandbox.sandbox.views
    view = views.open(office.visitor.who(person).user_id, body)
    view.values = initial_values(view.body["blocks"])
    return view


async def click(office: Office, person: str, action_id: str, value: str, carried: str = "") -> str:
    """Press a button that nobody showed; returns what stands in the modal then."""
    view, actor = left_open(office, person, carried), office.visitor.who(person)
    action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
    outcome = await office.sandbox.sandbox.interactions.act_in_view(actor, view, action)
    assert outcome.acknowledged, action_id
    return modal(office, person).plain


async def send(office: Office, person: str, form: str, carried: str = "") -> str:
    """Submit a form that nobody showed; returns what stands in the modal then, or at its field."""
    view, actor = left_open(office, person, carried, form), office.visitor.who(person)
    outcome = await office.sandbox.sandbox.interactions.submit_view(actor, view)
    assert outcome.acknowledged, form
    return " ".join(outcome.field_errors.values()) or modal(office, person).plain


@pytest.mark.parametrize("name", ["/roles", "/access", "/audit"])
async def test_whoever_is_no_administrator_gets_the_same_sentence_whatever_they_ask(
    office: Office, name: str
) -> None:
    before = await events(office)
    for text in ("", "help", "who people", "grant people @enzo", "may-read @pia", "@pia", "1", "salary"):
        assert (await typed(office, name, text, person="enzo")).plain == ADMINS_ONLY, text
    assert not office.visitor.views_open_for("enzo")
    assert await events(office) == before


async def test_no_click_form_or_menu_does_anything_for_whoever_is_no_administrator(
    office: Office, registered: Registered
) -> None:
    number, before = await document(office, "Salary bands"), await events(office)
    proposal = f'{{"change": "documents", "documents": [{number}], "readers": "everyone"}}'
    for action_id in sorted(registered.bolt["action"]):
        for value in (str(number), "people", "U0ENZO people", "U0PIA people", f"documents {number}"):
            assert await click(office, "enzo", action_id, value) == ADMINS_ONLY, action_id
    for form in sorted(registered.bolt["view"]):
        assert await send(office, "enzo", form, proposal) == ADMINS_ONLY, form
    for action_id in sorted(registered.bolt["options"]):
        view, actor = left_open(office, "enzo"), office.visitor.who("enzo")
        outcome = await office.sandbox.sandbox.interactions.suggest(actor, view, "b", action_id, "e")
        assert outcome.payload == {"options": []}, action_id
    assert await events(office) == before


async def test_the_flag_of_slacks_own_admins_is_not_enough(office: Office) -> None:
    await office.visitor.set_flags("enzo", is_admin=True, is_owner=True)
    assert (await typed(office, "/roles", "", person="enzo")).plain == ADMINS_ONLY


async def test_guests_and_people_of_other_companies_get_no_more_than_others(office: Office) -> None:
    outcome = await office.visitor.command("gus", "#guests", "/audit", "@gus")
    assert outcome.acknowledged
    (said,) = [m for m in office.visitor.visible_to("gus", "#guests") if m.ephemeral]
    assert said.plain == ADMINS_ONLY


async def test_buttons_and_modals_from_before_the_role_went_do_nothing(office: Office) -> None:
    answer = await typed(office, "/roles", "grant people @enzo")
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    await press(office, roles.EDIT)
    await give(office, "gus", "ostiary-admin")
    await take_everything_from_pia(office)
    before = await events(office)
    await submit(office, {"description": "Mine"})
    assert modal(office).plain == ADMINS_ONLY
    await office.visitor.click("pia", answer.ts, "#general", UNDO)
    (undone,) = [m for m in office.visitor.visible_to("pia", "#general") if m.ts == answer.ts]
    assert undone.plain == ADMINS_ONLY
    assert await events(office) == before
    assert "people" in await roles_of(office, "enzo")


async def test_a_dry_run_that_was_shown_before_the_role_went_cannot_be_confirmed(office: Office) -> None:
    await command(office, "/access")
    await press(office, access.DOCUMENT, str(await document(office, "Salary bands")))
    await press(office, access.CHANGE)
    await submit(office, {"readers": ["everyone"]})
    await take_everything_from_pia(office)
    before = await events(office)
    await submit(office)
    assert modal(office).plain == ADMINS_ONLY
    assert await events(office) == before


async def test_a_page_of_the_log_is_not_turned_once_the_role_is_gone(office: Office) -> None:
    await command(office, "/audit")
    await submit(office)
    (older,) = values_of(modal(office), f"{audit.PAGES}:older")
    await take_everything_from_pia(office)
    assert (await press(office, f"{audit.PAGES}:older", older)).plain == ADMINS_ONLY


async def test_forged_values_are_answered_with_sentences_and_change_nothing(
    office: Office, registered: Registered
) -> None:
    before = await events(office)
    for action_id in sorted(registered.bolt["action"]):
        for value in FORGED:
            said = await click(office, "pia", action_id, value, CARRIED[3])
            assert said, action_id
            assert BROKEN not in said, (action_id, value)
    for form in sorted(registered.bolt["view"]):
        for carried in CARRIED:
            said = await send(office, "pia", form, carried)
            assert said, form
            assert BROKEN not in said, (form, carried)
    assert await events(office) == before


async def test_a_change_that_was_changed_since_is_not_undone_by_its_old_button(office: Office) -> None:
    answer = await typed(office, "/roles", "grant people @enzo because he asked")
    await typed(office, "/roles", "grant people @enzo because he asked twice")
    await office.visitor.click("pia", answer.ts, "#general", UNDO)
    (said,) = [m for m in office.visitor.visible_to("pia", "#general") if m.ts == answer.ts]
    assert "It cannot be undone any more: a grant was changed since." in said.plain
    assert "people" in await roles_of(office, "enzo")


async def test_nobody_else_sees_what_is_asked_or_answered(office: Office) -> None:
    before = office.visitor.visible_to("enzo", "#general")
    await typed(office, "/roles", "grant people @enzo")
    await typed(office, "/roles", "who people")
    await command(office, "/access")
    await command(office, "/audit", "@pia")
    assert office.visitor.visible_to("enzo", "#general") == before
    assert not office.visitor.visible_to("enzo", "@ostiary")
    assert not office.visitor.views_open_for("enzo")


async def test_names_and_reasons_do_not_come_alive(office: Office) -> None:
    said = await typed(
        office, "/roles", "grant people @enzo because &lt;!channel&gt; <https://evil.example|pay>"
    )
    assert "&lt;!channel&gt; pay" not in said.plain  # it was escaped once, and is shown as it was meant
    assert "<!" not in f"{said.blocks}{said.text}"
    assert "<http" not in f"{said.blocks}{said.text}"
    await command(office, "/roles")
    await press(office, roles.NEW)
    await submit(office, {"name": "odd", "description": "<!here> & <@U0ENZO>"})
    page = await press(office, roles.OPEN, "odd")
    assert "&lt;!here&gt; &amp; &lt;@U0ENZO&gt;" in str(page.blocks)
