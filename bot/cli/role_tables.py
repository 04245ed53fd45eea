"""What `ostiary roles` and `ostiary admin` print, and what their arguments name."""

from rich.text import Text

from auth.granting import list_roles, read_inheritance
from auth.sources import UnknownSource
from bot.administering.changes import DefineRole
from bot.administering.places import Place, channel_called, flag_called, user_group_called
from bot.cli.administering import Desk, open_desk, print_table
from bot.cli.output import counted, out


async def print_roles() -> None:
    async with open_desk() as desk:
        roles = await desk.administration.roles()
    rows = [
        (
            role.name,
            str(role.holders),
            ", ".join(role.inherits),
            "; ".join(role.sources),
            str(len(role.labels)),
            role.description,
        )
        for role in roles
    ]
    print_table(("Role", "Holders", "Brings", "Given to", "Labels", "For"), rows, "No roles yet.")


async def print_holders(role: str) -> None:
    async with open_desk() as desk:
        holders = await desk.administration.holders(role)
    rows = [(f"@{h.person.handle}", h.person.name, "; ".join(h.ways)) for h in holders]
    print_table(("Handle", "Name", "How"), rows, f"Nobody holds {role}.")


async def print_readable(handle: str, as_: str | None) -> None:
    async with open_desk() as desk:
        person = await desk.person(handle)
        readable = await desk.administration.readable_by(person, await desk.viewer(as_))
    held = [(role, "; ".join(ways)) for role, ways in readable.roles.items()]
    print_table(("Holds", "How"), held, f"@{person.handle} holds no role.")
    out.print()
    labels = [(str(label.documents), label.in_words) for label in readable.labels]
    print_table(("Documents", "For"), labels, f"@{person.handle} may read nothing.")
    out.print(Text(f"In all: {counted(readable.documents, 'document')}."))
    if as_ is not None:
        out.print(Text(f"\nTitles that @{as_.removeprefix('@')} may read too:", style="bold"))
        for title in readable.titles:
            out.print(Text(title))


async def redefined(desk: Desk, name: str, description: str | None, inherits: str | None) -> DefineRole:
    """The role as it shall be: what is left out stays as it was."""
    async with desk.database.writing_in(desk.workspace_id) as connection:
        was = (await list_roles(connection)).get(name, "")
        brought = (await read_inheritance(connection)).get(name, frozenset())
    wanted = None if inherits is None else {r.strip() for r in inherits.split(",") if r.strip()}
    return DefineRole(
        name,
        was if description is None else description,
        tuple(sorted(brought if wanted is None else wanted)),
    )


async def place_named(
    desk: Desk, user_group: str | None, channel: str | None, flag: str | None, name: str = ""
) -> Place:
    """The one place that the options name. Raises UnknownSource."""
    given = [what for what in (user_group, channel, flag) if what is not None]
    if len(given) != 1:
        raise UnknownSource("Name one place: --user-group, --channel or --flag.")
    if flag is not None:
        return flag_called(flag)
    async with desk.database.writing_in(desk.workspace_id) as connection:
        if channel is not None:
            return await channel_called(connection, channel, name)
        return await user_group_called(connection, given[0], name)
