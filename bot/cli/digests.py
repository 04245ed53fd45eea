"""`ostiary digest`: what is new, for somebody or a channel; and the digests that channels are sent."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from bot.cli.options import legible
from bot.digests import Every

app = typer.Typer(
    name="digest",
    help="What is new in the documents: now, for somebody; or sent to a channel every day or week.",
    no_args_is_help=True,
)
Topic = Annotated[
    str, typer.Argument(help="A topic, a collection or a department; all, if left out.", callback=legible)
]


@app.command()
def now(
    as_: Annotated[
        str, typer.Option("--as", help="Handle of the person who asks.", metavar="HANDLE", callback=legible)
    ],
    topic: Topic = "",
    in_: Annotated[
        str | None,
        typer.Option("--in", help="Channel that is told.", metavar="CHANNEL", callback=legible),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="First day of what is told, YYYY-MM-DD; 30 days ago.", metavar="DATE"
        ),
    ] = None,
) -> None:
    """Show what is new, as somebody would be told it, and everybody in a channel."""
    from bot.cli.asking import ask_once

    said = f"What is new{f' on {topic}' if topic else ''}"
    asyncio.run(ask_once(f"{said} since {since:%Y-%m-%d}?" if since else f"{said}?", as_, in_))


@app.command()
def schedule(
    every: Annotated[Every, typer.Argument(help="daily, or weekly on Mondays; at 8:00 UTC.")],
    channel: Annotated[str, typer.Argument(help="Id of the channel, as Slack has it.", callback=legible)],
    topic: Topic = "",
) -> None:
    """Send a channel what is new that everybody in it may read; nothing where nothing is new."""
    from bot.administering.changes import ScheduleDigest
    from bot.cli.digesting import change

    asyncio.run(change(ScheduleDigest(channel, topic.strip(), every)))


@app.command("list")
def list_() -> None:
    """List the digests that channels are sent."""
    from bot.cli.digesting import list_scheduled

    asyncio.run(list_scheduled())


@app.command()
def stop(
    digest: Annotated[
        int, typer.Argument(help="Number of a digest, as `ostiary digest list` shows it.", min=1)
    ],
) -> None:
    """Send a digest no more."""
    from bot.administering.changes import StopDigest
    from bot.cli.digesting import change

    asyncio.run(change(StopDigest(digest)))
