"""`ostiary audit`: what happened, whether its record is whole, and who could read what."""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import legible

app = typer.Typer(
    name="audit",
    help="What happened, whether its record is whole, and who could read what, and when.",
    no_args_is_help=True,
)

_DAY = ["%Y-%m-%d"]
Document = Annotated[
    str, typer.Argument(help="Id of a document, or its address.", metavar="DOCUMENT", callback=legible)
]
Since = Annotated[
    datetime | None,
    typer.Option(formats=_DAY, help="First day, YYYY-MM-DD (UTC).", metavar="DATE"),
]


class Format(StrEnum):
    """How an export is written."""

    JSONL = "jsonl"
    CSV = "csv"


def _start(day: datetime | None) -> datetime | None:
    return day and day.replace(tzinfo=UTC)


@app.command()
def search(
    person: Annotated[
        str | None,
        typer.Option(help="Who did it, or whom it was done to.", metavar="HANDLE", callback=legible),
    ] = None,
    document: Annotated[
        str | None,
        typer.Option(
            help="Id or address of a document that it is about.", metavar="DOCUMENT", callback=legible
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="What happened, or how that begins: grant, grant.added, access_label, document, answer.sent.",
            metavar="KIND",
            callback=legible,
        ),
    ] = None,
    since: Since = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, help="Last day, YYYY-MM-DD (UTC).", metavar="DATE"),
    ] = None,
    before: Annotated[
        int | None, typer.Option(help="Only events before this one: the next page.", metavar="EVENT", min=1)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 50,
) -> None:
    """Look for what happened, the latest first."""
    from bot.cli.auditing import Wanted, print_events

    end = until.replace(tzinfo=UTC) + timedelta(days=1) if until else None
    asyncio.run(print_events(Wanted(person, document, kind, _start(since), end), before, limit))


@app.command(
    help="Recompute the whole log, and name whatever was altered, removed or cut off; exit code 1 if anything was."
    "\n\nIts end is noted in audit-anchors.jsonl in OSTIARY_HOME, and compared the next time. Whoever could rewrite"
    " the whole database cannot rewrite a copy of that file which is kept elsewhere."
)
def verify(
    no_anchor: Annotated[
        bool,
        typer.Option("--no-anchor", help="Neither compare with the ends noted earlier, nor note this one."),
    ] = False,
) -> None:
    """Recompute the whole log."""
    from bot.cli.auditing import verify_log

    if not asyncio.run(verify_log(anchored=not no_anchor)):
        raise typer.Exit(1)


@app.command(
    "who-could-see",
    help="Who could have read a document on a day, from when until when, and by which roles; deleted since or not."
    "\n\nA group or channel that gave a role counts until it was noted that Slack had not been asked for too long.",
)
def who_could_see(
    document: Document,
    on: Annotated[datetime, typer.Option(formats=_DAY, help="The day, YYYY-MM-DD (UTC).", metavar="DATE")],
) -> None:
    """Who could have read a document on a day."""
    from bot.cli.auditing import print_who_could_see

    asyncio.run(print_who_could_see(document, on.date()))


@app.command("check-answers")
def check_answers(since: Since = None) -> None:
    """Recompute for each answer that it was right for whoever heard it. Exit code 1 if one was not."""
    from bot.cli.auditing import print_checked_answers

    if not asyncio.run(print_checked_answers(_start(since))):
        raise typer.Exit(1)


# Two backslashes: a bracket is markup in a help text.
@app.command(
    help="Write the whole log to a file, with its hashes, so that its chain can be recomputed elsewhere."
    "\n\ndetails_hash is the SHA-256 of details: a text of JSON, to be taken just as it is, in UTF-8."
    "\n\nhash is the SHA-256 of three things one after the other: the bytes of previous, the bytes of details_hash,"
    " and, in UTF-8, the JSON array \\[workspace_id, seq, at, actor, kind, relation, subject, person, document_id,"
    " policy_version, change_id], with a comma and a space between its elements, nothing escaped that is not"
    " ASCII, and null for what is empty."
    "\n\nprevious is the hash of the event before, empty for the first. Times are UTC. Where details are empty they"
    " were withdrawn, and details_hash stands for them."
)
def export(
    file: Annotated[Path, typer.Argument(help="Where to. A file that is there is not overwritten.")],
    format_: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.JSONL,
) -> None:
    """Write the whole log to a file."""
    from bot.cli.exporting import export_log

    asyncio.run(export_log(file, format_.value))


@app.command(
    help="Empty the details of what happened before a day, for good: questions, answers, refusals."
    "\n\nThat they happened, when and to whom stays, and the log stays whole. Changes of who may read what keep"
    " their details: history is put together from them."
)
def withdraw(
    before: Annotated[
        datetime,
        typer.Option(formats=_DAY, help="The first day that is kept, YYYY-MM-DD (UTC).", metavar="DATE"),
    ],
) -> None:
    """Empty the details of what happened long ago."""
    from bot.cli.auditing import withdraw_details

    asyncio.run(withdraw_details(before.replace(tzinfo=UTC)))
