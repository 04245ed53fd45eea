"""`ostiary jobs`: what is being taken in, how far it has come, what failed and why."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    name="jobs",
    help="Jobs: questions to answer, documents to take in, sources to read. What is done leaves no job.",
    no_args_is_help=True,
)
Id = Annotated[int, typer.Argument(help="Number of a job, as `ostiary jobs list` shows it.", min=1)]


class State(StrEnum):
    waiting = "waiting"
    running = "running"
    failed = "failed"
    cancelled = "cancelled"


@app.command("list")
def list_(
    state: Annotated[
        list[State] | None,
        typer.Option(help="Only these; may be given again. Without it: all but cancelled."),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 100,
) -> None:
    """Jobs that run, wait or failed."""
    from bot.cli.job_tables import print_jobs

    wanted = state or [State.running, State.waiting, State.failed]
    asyncio.run(print_jobs([one.value for one in wanted], limit))


@app.command()
def show(job: Id) -> None:
    """One job: how far it has come, or why it failed."""
    from bot.cli.job_tables import print_job

    asyncio.run(print_job(job))


@app.command()
def retry(job: Id) -> None:
    """Try a job that failed once more."""
    from bot.cli.job_tables import retry as run

    asyncio.run(run(job))


@app.command()
def cancel(job: Id) -> None:
    """Call off taking something in: nothing of it is stored. What is stored already stays."""
    from bot.cli.job_tables import cancel as run

    asyncio.run(run(job))
