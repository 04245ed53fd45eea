"""`ostiary probe`: plant secrets, try to get them out as synthetic people, and say what leaked."""

from contextlib import AsyncExitStack
from dataclasses import replace

from rich.table import Table
from rich.text import Text

from auth.database import Database
from auth.directory import list_workspaces
from bot.cli.output import out, progress_line
from bot.logging import configure_logging
from bot.opening import open_database, the_workspace
from bot.probe.outcome import Outcome
from bot.probe.probing import Means, probe
from bot.probe.scene import Limits
from bot.probe.shadow import is_shadow
from bot.runtime import load_embeddings, open_assistant, open_ingestor
from bot.settings import Settings, load_settings

SHOWN_AT_MOST = 50


async def run_probe(seed: int, limits: Limits, only: list[str], *, real_model: bool) -> bool:
    """Probe the workspace, print what was found, and return whether it is sure that nothing leaked."""
    settings = load_settings()
    configure_logging(settings.log_level)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            workspace_id, team_id = await _workspace(database, settings)
            embeddings = await load_embeddings(settings, progress)
            ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
            means = Means(database, embeddings, ingestor)
            if real_model:
                means = replace(
                    means, assistant_in=lambda shadow: open_assistant(settings, database, shadow, embeddings)
                )
            found = await probe(
                means, workspace_id, team_id, seed=seed, limits=limits, only=only, progress=progress
            )
    show(found)
    return found.is_conclusive and not found.leaked


async def _workspace(database: Database, settings: Settings) -> tuple[int, str]:
    """(id, team id) of the workspace that is meant."""
    async with database.registering() as connection:
        workspaces = [entry for entry in await list_workspaces(connection) if not is_shadow(entry[1])]
    if len(workspaces) == 1 and not settings.workspace:
        return workspaces[0][0], workspaces[0][1]
    workspace_id = await the_workspace(database, settings)
    return workspace_id, next(team_id for known, team_id, _ in workspaces if known == workspace_id)


def show(found: Outcome) -> None:
    """A table of surfaces, what leaked, and what was not tried. No secret is printed."""
    table = Table("Surface", "Tried", "Leaked", "Compared", "Unequal", title="Canaries", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for surface in found.surfaces:
        figures = (surface.tried, surface.leaked, surface.compared, surface.unequal)
        bad = surface.leaked or surface.unequal
        table.add_row(Text(surface.surface), *map(str, figures), style="bold red" if bad else "")
    out.print(table)
    out.print(
        f"{found.people} people, {found.labels} labels, {found.secrets} marks, {found.tried} attempts,"
        f" {found.compared} comparisons of denied with missing, {found.seconds:.0f} s. Seed {found.seed}."
    )
    for line in _left_out(found):
        out.print(Text(line, style="dim"))
    for said in [*map(str, found.leaks), *(f"told apart: {what}" for what in found.unequal)][:SHOWN_AT_MOST]:
        out.print(Text(said, style="bold red"))
    out.print(_verdict(found))


def _verdict(found: Outcome) -> Text:
    if found.leaked:
        return Text(f"{found.leaked} leaks.", style="bold red")
    if not found.is_conclusive:
        return Text(
            f"Nothing leaked, and that proves nothing: the bot gave up on {found.failed} of {found.asked}"
            f" questions, and {found.reached} of {found.readable} secrets came to those who may read them. See the"
            " log.",
            style="bold red",
        )
    return Text(
        f"Nothing leaked. {found.reached} of {found.readable} secrets came to those who may read them.",
        style="green",
    )


def _left_out(found: Outcome) -> list[str]:
    lines = [f"Drawn by lot, left out: {n} questions on {name}." for name, n in found.left_out.items()]
    if found.role_sets_left_out:
        lines.append(
            f"Drawn by lot, left out: {found.role_sets_left_out} sets of roles. Raise --people for all."
        )
    return [*lines, f"Not there, so not tried: {', '.join(found.not_there)}."]
