"""`ostiary answers`: answers that somebody who knows has approved, and that are found like documents."""

import asyncio
from typing import Annotated

import typer

from bot.cli.options import As, legible

app = typer.Typer(
    name="answers",
    help="Approved answers: found like documents, readable where all that they were made from is. One becomes"
    " stale, and answers no more, as soon as something that it was made from changes.",
    no_args_is_help=True,
)
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)]
Offset = Annotated[int, typer.Option(help="How many to leave out first.", min=0)]


@app.command("list")
def list_(
    stale: Annotated[bool, typer.Option("--stale", help="Only those that are stale.")] = False,
    as_: As = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """Every approved answer, its readers and how it stands."""
    from bot.cli.documents import Listed, print_documents
    from retrieval.approved import SCHEME

    wanted = Listed("", None, None, SCHEME, "stale" if stale else None)
    asyncio.run(print_documents(wanted, as_, limit, offset))


@app.command()
def approve(
    question: Annotated[
        int, typer.Argument(help="Number of a question, as `ostiary audit` shows it.", min=1)
    ],
    as_: Annotated[
        str,
        typer.Option(
            "--as", help="Who approves: somebody who may read the answer.", metavar="HANDLE", callback=legible
        ),
    ],
    asked: Annotated[
        str | None,
        typer.Option(
            help="The question in other words; needed where it was not asked in public.", callback=legible
        ),
    ] = None,
    said: Annotated[str | None, typer.Option(help="The answer in other words.", callback=legible)] = None,
) -> None:
    """Approve the answer to a question. Approved again, in other words or for other readers, it is replaced."""
    from bot.cli.approving import approve_answer

    asyncio.run(approve_answer(question, as_, asked, said))


@app.command()
def retire(
    answer: Annotated[
        str, typer.Argument(help="Number of an approved answer, as `ostiary answers list` shows it.")
    ],
) -> None:
    """Take an approved answer back, for good."""
    from bot.cli.approving import retire_answer

    asyncio.run(retire_answer(answer))
