"""What administrators do in these tests, and what they see. Pia holds the role; Enzo does not."""

from typing import Any

from sqlalchemy import text

from auth.database import WORKSPACE
from auth.directory import person_called
from auth.granting import grant
from auth.rights import rights_of
from bot.directory_file import load_directory
from bot.sandbox.delivery import Outcome
from bot.sandbox.seen import SeenMessage, SeenView
from bot.sandbox.state_values import Given
from tests.scenarios.conftest import Office, without_roles

_EVENTS = text(f"SELECT count(*) FROM auth.audit_event WHERE workspace_id = {WORKSPACE}")
_DOCUMENT = text(f"SELECT id FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND uri = :uri")


def modal(office: Office, person: str = "pia") -> SeenView:
    """The one modal that somebody has open."""
    (view,) = office.visitor.views_open_for(person)
    return view


async def command(office: Office, name: str, text: str = "", person: str = "pia") -> SeenView:
    """Run a command that opens a modal."""
    assert (await office.visitor.command(person, "#general", name, text)).acknowledged
    return modal(office, person)


async def typed(office: Office, name: str, text: str, person: str = "pia") -> SeenMessage:
    """Run a command that is answered in words; returns the answer, which nobody else sees."""
    before = {message.ts for message in office.visitor.visible_to(person, "#general")}
    assert (await office.visitor.command(person, "#general", name, text)).acknowledged
    (answer,) = [m for m in office.visitor.visible_to(person, "#general") if m.ts not in before]
    assert answer.ephemeral
    return answer


async def press(office: Office, action_id: str, value: Given = None, person: str = "pia") -> SeenView:
    """Press or choose in the open modal; returns it as it is then."""
    view = modal(office, person)
    assert (await office.visitor.act_in_view(person, view.id, action_id, value)).acknowledged
    return modal(office, person)


async def submit(office: Office, values: dict[str, Given] | None = None, person: str = "pia") -> Outcome:
    """Fill in and send the open modal. Fields by their names, whatever thing the form is about."""
    view = modal(office, person)
    fields = {b["block_id"].partition("@")[0]: b["block_id"] for b in view.blocks if b["type"] == "input"}
    given = {fields[name]: value for name, value in (values or {}).items()}
    return await office.visitor.submit_view(person, view.id, given)


async def roles_of(office: Office, handle: str) -> frozenset[str]:
    """What somebody holds at this moment."""
    user_id = office.visitor.who(handle).user_id
    rights = await rights_of(office.database, office.workspace_id, user_id)
    return rights.roles if rights else frozenset()


async def give(office: Office, handle: str, role: str) -> None:
    async with office.database.writing_in(office.workspace_id, "test") as connection:
        await grant(connection, await person_called(connection, handle), role, granted_by="test")


async def take_everything_from_pia(office: Office) -> None:
    await load_directory(office.database, without_roles("pia"))


async def events(office: Office) -> int:
    """How much was recorded: every change of who may read what is."""
    async with office.database.writing_in(office.workspace_id) as connection:
        return int((await connection.execute(_EVENTS)).scalar_one())


async def document(office: Office, title: str) -> int:
    async with office.database.writing_in(office.workspace_id) as connection:
        return int((await connection.execute(_DOCUMENT, {"uri": title})).scalar_one())


def values_of(view: SeenView | SeenMessage, action_id: str) -> list[str]:
    """The values of every button with this action id."""
    found: list[str] = []

    def look(tree: Any) -> None:
        if isinstance(tree, dict):
            if tree.get("action_id") == action_id and "value" in tree:
                found.append(tree["value"])
            for part in tree.values():
                look(part)
        elif isinstance(tree, list):
            for part in tree:
                look(part)

    look(list(view.blocks))
    return found


def offered(view: SeenView, words: str) -> str:
    """The value of the option with these words, in whatever menu of a form."""
    options = [o for block in view.blocks for o in block.get("element", {}).get("options", ())]
    (found,) = [o["value"] for o in options if o["text"]["text"] == words]
    return str(found)
