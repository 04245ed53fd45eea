"""`ostiary admin`: who administers Ostiary."""

import asyncio
from typing import TYPE_CHECKING

import typer

from bot.cli.options import DryRun, For, Handle, Reason, Until, end_of

if TYPE_CHECKING:
    from bot.administering.changes import Change
    from bot.cli.administering import Desk

app = typer.Typer(
    name="admin",
    help="Who administers Ostiary: adds documents, chooses readers, gives roles. Slack's own admins do not.",
    no_args_is_help=True,
)


@app.command()
def grant(
    handle: Handle, reason: Reason = "", until: Until = None, for_: For = None, dry_run: DryRun = False
) -> None:
    """Let somebody administer."""
    from auth.roles import ADMIN
    from bot.administering.changes import GrantRole
    from bot.cli.administering import carry_out

    expires_at = end_of(until, for_)

    async def change(desk: "Desk") -> "Change":
        return GrantRole(await desk.person(handle), ADMIN, reason, expires_at)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command()
def revoke(handle: Handle, dry_run: DryRun = False) -> None:
    """No longer let somebody administer."""
    from auth.roles import ADMIN
    from bot.administering.changes import RevokeRole
    from bot.cli.administering import carry_out

    async def change(desk: "Desk") -> "Change":
        return RevokeRole(await desk.person(handle), ADMIN)

    asyncio.run(carry_out(change, dry_run=dry_run))


@app.command("list")
def list_() -> None:
    """Who administers, and by which way."""
    from auth.roles import ADMIN
    from bot.cli.role_tables import print_holders

    asyncio.run(print_holders(ADMIN))
