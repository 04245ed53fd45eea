"""Sources as tables and sentences on the command line."""

from datetime import UTC, datetime

from rich.text import Text

from auth.labels import parse_policy
from bot.administering.wording import policy_in_words, span_in_words
from bot.cli.administering import open_desk, print_table
from bot.cli.output import counted, out
from retrieval.sources.kept import Item, Source, items_of, list_sources, source_with

_NONE = "No source is kept yet. `ostiary sources add PATH --readers ROLE,... --every 24h` keeps one."
MOST_ITEMS = 200


async def print_sources() -> None:
    async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
        sources = await list_sources(connection)
    rows = [
        [
            str(source.id),
            source.kind.value,
            source.reference,
            _readers(source),
            _often(source),
            _last(source),
            str(source.documents),
        ]
        for source in sources
    ]
    print_table(["Id", "Kind", "Source", "Readers", "Read", "Last time", "Documents"], rows, _NONE)


async def print_source(source_id: int) -> None:
    async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
        source = await source_with(connection, source_id)
        items = await items_of(connection, source_id)
    for name, value in _facts(source):
        out.print(Text.assemble((f"{name}: ", "bold"), value))
    # What is amiss first: it is what somebody looks for.
    shown = sorted(items.values(), key=lambda item: (item.error is None, item.state == "stored", item.uri))
    rows = [[item.uri, _state(item), _moment(item.seen_at), item.error or ""] for item in shown[:MOST_ITEMS]]
    print_table(["Address", "State", "Last seen", "Reason"], rows, "Nothing was seen in it yet.")
    if len(items) > MOST_ITEMS:
        out.print(Text(f"... and {len(items) - MOST_ITEMS} more."))


def _facts(source: Source) -> list[tuple[str, str]]:
    counts = ", ".join(f"{number} {what}" for what, number in vars(source.counts).items())
    facts = [
        ("Source", f"{source.id}, {source.kind.value}: {source.reference}"),
        ("Readers", _readers(source)),
        ("Collection", source.collection or "none"),
        ("Department", source.department or "none"),
        ("Read", _often(source)),
        ("Kept by", f"{source.kept_by}, {_moment(source.created_at)}"),
        ("Last time", f"{_last(source)} ({counts})" if source.ended_at else _last(source)),
        ("Next time", "never by itself" if source.paused or not source.every else _moment(source.next_at)),
        ("Documents", counted(source.documents, "document")),
    ]
    return facts + ([("Error", source.error)] if source.error else [])


def _readers(source: Source) -> str:
    if source.label_by:
        return f"by the field {source.label_by}: {', '.join(sorted(source.labels))}"
    return policy_in_words(parse_policy(source.readers))


def _often(source: Source) -> str:
    often = f"every {span_in_words(source.every)}" if source.every else "when asked to"
    return f"paused ({often})" if source.paused else often


def _last(source: Source) -> str:
    if source.began_at is None:
        return "not yet"
    if source.ended_at is None:
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
