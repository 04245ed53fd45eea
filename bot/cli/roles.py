"""`ostiary roles`: which roles there are, who holds them, and by which ways."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import As, DryRun, For, Handle, Reason, Role, Until, end_of, legible

if TYPE_CHECKING:
    from bot.administering.changes import Change
    from bot.cli.administering import Desk

app = typer.Typer(
    name="roles", help="Roles: which there are, who holds them, what gives them.", no_args_is_help=True
)

UserGroup = Annotated[
    str | None,
    typer.Option(help="Slack's id of a user group (S...).", metavar="ID|HANDLE", callback=legible),
]
Channel = Annotated[
    str | None,
    typer.Option(help="Slack's id of a channel (C...), or its name.", metavar="ID|NAME", callback=legible),
]
Flag = Annotated[str | None, typer.Option(help="admin, owner, member or guest.", callback=legible)]
Name = Annotated[str, typer.Option("--name", help="What Slack calls it, where only its id is known here.")]


@app.command("list")
def list_() -> None:
    """Every role, how many people hold it, and what gives it."""
    from bot.cli.role_tables import print_roles

    asyncio.run(print_roles())


@app.command()
def create(
    name: Role,
    description: Annotated[
        str | None, typer.Option(help="What it is for. Left out: as it was.", callback=legible)
    ] = None,
    inherits: Annotated[
        str | None,
        typer.Option(
            help="Roles that it brings, separated by commas; '' for none. Left out: as it was.",
            metavar="ROLE,...",
            callback=legible,
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Create a role, or change its description and what it brings."""
    from bot.cli.administering import carry_out
    from bot.cli.role_tables import redefined

    async def change(desk: "Desk") -> "Change":
        return await redefined(desk, name, description, inherits)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def delete(name: Role, dry_run: DryRun = False) -> None:
    """Delete a role that nothing names any more."""
    from bot.administering.changes import DeleteRole
    from bot.cli.administering import carry_out

    async def change(desk: "Desk") -> "Change":
        return DeleteRole(name)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def grant(
    role: Role,
    handle: Handle,
    reason: Reason = "",
    until: Until = None,
    for_: For = None,
    dry_run: DryRun = False,
) -> None:
    """Give somebody a role."""
    from bot.administering.changes import GrantRole
    from bot.cli.administering import carry_out

    expires_at = end_of(until, for_)

    async def change(desk: "Desk") -> "Change":
        return GrantRole(await desk.person(handle), role, reason, expires_at)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def revoke(role: Role, handle: Handle, dry_run: DryRun = False) -> None:
    """Take a role away that was given by hand. What a group or channel gives stays."""
    from bot.administering.changes import RevokeRole
    from bot.cli.administering import carry_out

    async def change(desk: "Desk") -> "Change":
        return RevokeRole(await desk.person(handle), role)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command("map")
def map_(
    role: Role,
    user_group: UserGroup = None,
    channel: Channel = None,
    flag: Flag = None,
    name: Name = "",
    guests_too: Annotated[
        bool, typer.Option("--guests-too", help="Guests in it hold the role as well.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Let members of a user group or channel, or everybody with a flag, hold a role.

    Who is in it is read by the running bot, not by this command: until it was read, it grants nothing.
    """
    from bot.administering.changes import MapSource
    from bot.cli.administering import carry_out
    from bot.cli.role_tables import place_named

    async def change(desk: "Desk") -> "Change":
        place = await place_named(desk, user_group, channel, flag, name)
        return MapSource(place.kind, place.reference, place.name, role, guests_too)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def unmap(
    role: Role,
    user_group: UserGroup = None,
    channel: Channel = None,
    flag: Flag = None,
    dry_run: DryRun = False,
) -> None:
    """No longer let members of a user group or channel, or everybody with a flag, hold a role through it."""
    from bot.administering.changes import UnmapSource
    from bot.cli.administering import carry_out
    from bot.cli.role_tables import place_named

    async def change(desk: "Desk") -> "Change":
        place = await place_named(desk, user_group, channel, flag)
        return UnmapSource(place.kind, place.reference, place.name, role)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def who(role: Role) -> None:
    """Who holds a role, and by which ways."""
    from bot.cli.role_tables import print_holders

    asyncio.run(print_holders(role))


@app.command()
def may_read(handle: Handle, as_: As = None) -> None:
    """What somebody holds, by which ways, and how many documents that opens."""
    from bot.cli.role_tables import print_readable

    asyncio.run(print_readable(handle, as_))
