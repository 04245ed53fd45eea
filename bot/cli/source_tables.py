"""Sources as tables and sentences on the command line."""

from datetime import UTC, datetime

from rich.text import Text

from bot.administering.kept_sources import SourceEntry
from bot.cli.administering import open_desk, print_table
from bot.cli.output import counted, out
from retrieval.sources.kept import Item, items_of

_NONE = "No source is kept yet. `ostiary sources add PATH --readers ROLE,... --every 24h` keeps one."
MOST_ITEMS = 200


async def print_sources() -> None:
    async with open_desk() as desk:
        sources = await desk.administration.sources(None)
    rows = [
        [
            str(source.id),
            source.kind.value,
            source.name or "",
            source.readers,
            source.often,
            _last(source),
            str(source.documents),
        ]
        for source in sources
    ]
    print_table(["Id", "Kind", "Source", "Readers", "Read", "Last time", "Documents"], rows, _NONE)


async def print_source(source_id: int) -> None:
    async with open_desk() as desk:
        source = await desk.administration.source(None, source_id)
        async with desk.database.writing_in(desk.workspace_id) as connection:
            items = await items_of(connection, source_id)
    for name, value in _facts(source):
        out.print(Text.assemble((f"{name}: ", "bold"), value))
    # What is amiss first: it is what somebody looks for.
    shown = sorted(items.values(), key=lambda item: (item.error is None, item.state == "stored", item.uri))
    rows = [[item.uri, _state(item), _moment(item.seen_at), item.error or ""] for item in shown[:MOST_ITEMS]]
    print_table(["Address", "State", "Last seen", "Reason"], rows, "Nothing was seen in it yet.")
    if len(items) > MOST_ITEMS:
        out.print(Text(f"... and {len(items) - MOST_ITEMS} more."))


def _facts(source: SourceEntry) -> list[tuple[str, str]]:
    counts = f" ({source.counted})" if source.ended_at and source.counted else ""
    facts = [
        ("Source", f"{source.id}, {source.kind.value}: {source.name}"),
        ("Readers", source.readers),
        ("Collection", source.collection or "none"),
        ("Department", source.department or "none"),
        ("Read", source.often),
        ("Kept by", f"{source.kept_by}, {_moment(source.created_at)}"),
        ("Last time", f"{_last(source)}{counts}"),
        ("Next time", "never by itself" if source.paused or not source.every else _moment(source.next_at)),
        ("Documents", counted(source.documents, "document")),
    ]
    return facts + ([("Error", source.error)] if source.error else [])


def _last(source: SourceEntry) -> str:
    if source.began_at is None:
        return "not yet"
    if source.is_being_read:
        return f"since {_moment(source.began_at)}"
    return f"{_moment(source.ended_at)}{', with an error' if source.error else ''}"


def _state(item: Item) -> str:
    if item.was_removed:
        return "removed by hand"
    if item.state == "stored":
        return "answers" if item.answers else "does not answer"
    return {"withdrawn": "withdrawn", "failed": "not read"}[item.state]


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else "never"
