"""`ostiary gaps`: what found nothing, as somebody may see it; and what became of it."""

import asyncio
from typing import Annotated

import typer

from bot.cli.options import legible

app = typer.Typer(
    name="gaps",
    help="What people asked and found nothing on, or a bad answer, as somebody who owns documents sees it.",
    no_args_is_help=True,
)
As = Annotated[
    str, typer.Option("--as", help="Handle of the person who looks.", metavar="HANDLE", callback=legible)
]
Number = Annotated[int, typer.Argument(help="Number of a gap, as `ostiary gaps list` shows it.", min=1)]


@app.command("list")
def list_(as_: As) -> None:
    """List what found nothing, or a bad answer, in the channels that somebody reads, and their own questions."""
    from bot.cli.gap_list import show

    asyncio.run(show(as_))


@app.command()
def answered(gap: Number, as_: As) -> None:
    """Take a gap off the list, since something answers it now."""
    from bot.cli.gap_list import mark
    from bot.gaps import Mark

    asyncio.run(mark(as_, gap, Mark.ANSWERED))


@app.command()
def dismiss(gap: Number, as_: As) -> None:
    """Take a gap off the list, since nothing will answer it."""
    from bot.cli.gap_list import mark
    from bot.gaps import Mark

    asyncio.run(mark(as_, gap, Mark.DISMISSED))


@app.command()
def reopen(gap: Number, as_: As) -> None:
    """Put a gap back on the list."""
    from bot.cli.gap_list import put_back

    asyncio.run(put_back(as_, gap))
