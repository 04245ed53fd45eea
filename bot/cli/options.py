"""Options and arguments that several commands share, and how their texts are read. Imports nothing heavy."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

_SPAN = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def legible(given: str | None) -> str | None:
    """What a shell may pass that is no text, a lone byte, is shown as such."""
    return given and given.encode("utf-8", "replace").decode()


def span(given: str) -> timedelta:
    """`30m`, `12h`, `7d`, `2w`."""
    found = _SPAN.fullmatch(given.strip())
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"{given!r} is no length of time. Write 30m, 12h, 7d or 2w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def end_of(until: datetime | None, lasting: timedelta | None) -> datetime | None:
    """When something ends that is given to the end of a day (UTC), or for a time from now."""
    if until is not None and lasting is not None:
        raise typer.BadParameter("Give --until or --for, not both.")
    if until is not None:
        return until.replace(tzinfo=UTC) + timedelta(days=1)
    return datetime.now(UTC) + lasting if lasting else None


Handle = Annotated[str, typer.Argument(help="Handle of a person.", metavar="HANDLE", callback=legible)]
Role = Annotated[str, typer.Argument(help="Name of a role.", metavar="ROLE", callback=legible)]
Document = Annotated[
    str,
    typer.Argument(
        help="Id of a document, its address, or the end of its address.", metavar="DOCUMENT", callback=legible
    ),
]
Documents = Annotated[
    list[str],
    typer.Argument(help="Ids of documents, addresses, or ends of addresses.", metavar="DOCUMENT"),
]
Readers = Annotated[
    str,
    typer.Option(
        help="Who may read it: roles, a comma for any of them, a plus where all are needed, ! for must not hold.",
        metavar="POLICY",
        callback=legible,
    ),
]
Reason = Annotated[str, typer.Option(help="Why, for the record.", callback=legible)]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds, YYYY-MM-DD (UTC).", metavar="DATE"),
]
For = Annotated[
    timedelta | None,
    typer.Option("--for", help="How long it holds: 30m, 12h, 7d, 2w.", metavar="TIME", parser=span),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Show titles too: those that this person may read.",
        metavar="HANDLE",
        callback=legible,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say who would gain or lose what.")]
