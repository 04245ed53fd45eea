"""What `ostiary access` prints."""

from rich.text import Text

from bot.administering.overviews import CollectionEntry
from bot.administering.wording import span_in_words
from bot.cli.administering import open_desk, print_table
from bot.cli.output import out


async def print_documents(words: str, as_: str | None, limit: int, offset: int) -> None:
    async with open_desk() as desk:
        viewer = await desk.viewer(as_)
        entries = await desk.administration.documents(viewer, words, limit + 1, offset)
    titled = as_ is not None
    rows = [
        (
            str(entry.id),
            *([entry.title or "(not for these eyes)"] if titled else []),
            entry.uri or "",
            str(entry.policy),
            entry.collection or "",
        )
        for entry in entries[:limit]
    ]
    columns = ("Id", *(["Title"] if titled else []), "Address", "Readers", "Collection")
    print_table(columns, rows, f"No document here matches {words!r}." if words else "No documents yet.")
    if len(entries) > limit:
        out.print(Text(f"There are more: --offset {offset + limit}.", style="dim"))


async def print_explanation(handle: str, document: str) -> None:
    async with open_desk() as desk:
        person = await desk.person(handle)
        (document_id,) = await desk.documents([document])
        explanation = await desk.administration.explain(person, document_id)
    for sentence in explanation.sentences:
        out.print(Text(sentence))


async def print_labels() -> None:
    async with open_desk() as desk:
        labels = await desk.administration.labels()
    rows = [(str(label.id), str(label.policy), str(label.documents), label.in_words) for label in labels]
    print_table(("Id", "Readers", "Documents", "In words"), rows, "No document has readers yet.")


async def print_collections() -> None:
    async with open_desk() as desk:
        collections = await desk.administration.collections()
    rows = [(c.name, str(c.policy), str(c.documents), _asked(c), _fades(c)) for c in collections]
    print_table(("Name", "Readers", "Documents", "Can be asked for", "Fades"), rows, "No collections yet.")


def _fades(collection: CollectionEntry) -> str:
    return "no" if collection.half_life_days is None else f"by half in {collection.half_life_days} days"


def _asked(collection: CollectionEntry) -> str:
    if not collection.can_be_asked_for:
        return "no"
    return f"{collection.owner_role} lend {collection.lent_role} for {span_in_words(collection.lent_for)}"
