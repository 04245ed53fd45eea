"""What `/access` shows of documents: values in, screens out."""

from collections.abc import Sequence

from auth.labels import Policy
from bot.administering.changes import Change
from bot.administering.effects import Effect
from bot.administering.explaining import Explanation
from bot.administering.overviews import DocumentEntry, LabelEntry
from bot.administering.wording import counted, policy_in_words
from bot.slack.admin.elements import (
    actions,
    button,
    context,
    divider,
    field,
    menu,
    person_picker,
    search_menu,
    section,
)
from bot.slack.admin.naming import called, origin_in_words
from bot.slack.admin.proposals import carry
from bot.slack.admin.readers_fields import readers_fields
from bot.slack.admin.screens import Back, Screen, pager
from bot.slack.admin.wording import would_be
from bot.slack.views import Block, plain_blocks

HOME, DOCUMENT, WHY, LABELS = "admin_access", "admin_document", "admin_why", "admin_labels"
CHANGE, CHANGE_ALIKE, FILE = "admin_change_readers", "admin_change_alike", "admin_file"
REMOVE = "admin_remove"
READERS_FORM, FILE_FORM, CONFIRM_FORM = "admin_readers_form", "admin_file_form", "admin_confirm_form"
COLLECTIONS, COLLECTION = "admin_collections", "admin_collection"
COLLECTION_FIELD = "admin_collection_field"
NO_COLLECTION = "none"
PAGE = 15

HELP = """\
/access: documents and who may read them
/access words of a title, or a document's number
In the modal: why somebody can or cannot read a document, other readers for it, for its collection, or for all \
documents with the same readers. Before anything changes you see who would gain or lose what."""


def documents(entries: Sequence[DocumentEntry], words: str, start: int) -> Screen:
    """A page of documents; one more than a page says that there are more."""
    shown, more = entries[:PAGE], len(entries) > PAGE
    ids = ",".join(str(entry.id) for entry in shown)
    found = [_in_short(entry) for entry in shown] or [section(_nothing(words))]
    turn = [
        button(f"{HOME}:earlier", "Earlier", max(0, start - PAGE)) if start else None,
        button(f"{HOME}:later", "More", start + PAGE) if more else None,
    ]
    several = [
        button(CHANGE, "Change the readers of all shown", f"documents {ids}"),
        button(FILE, "Put all shown into a collection", ids),
    ]
    return Screen(
        "Access",
        [
            actions(
                search_menu(DOCUMENT, "Find a document"),
                button(COLLECTIONS, "Collections"),
                button(LABELS, "All combinations of readers"),
            ),
            *([context(f"Found by: {words}")] if words else []),
            divider(),
            *found,
            *([actions(*turn)] if any(turn) else []),
            *([divider(), actions(*several)] if words and len(shown) > 1 else []),
        ],
        carried={"words": words} if words else {},
    )


def _nothing(words: str) -> str:
    return "I found nothing by these words that you may read." if words else "There are no documents yet."


def _in_short(entry: DocumentEntry) -> Block:
    where = f" · in {entry.collection}" if entry.collection else ""
    number = f" · number {entry.id}" if entry.title else ""
    about = f"For {policy_in_words(entry.policy)}{where}{number}"
    return section(about, heading=called(entry), accessory=button(DOCUMENT, "Open", entry.id))


def document(entry: DocumentEntry, label: LabelEntry, explained: Explanation | None = None) -> Screen:
    where = f"In the collection {entry.collection}." if entry.collection else "In no collection."
    others = label.documents - 1
    alike = f" As is {counted(others, 'other document')}." if others == 1 else ""
    alike = f" As are {counted(others, 'other document')}." if others > 1 else alike
    facts = [
        f"For {policy_in_words(entry.policy)}.{alike}",
        f"Written out: {entry.policy}",
        where,
        " · ".join(
            part for part in (f"Number {entry.id}" if entry.title else "", origin_in_words(entry.uri)) if part
        ),
    ]
    everywhere = button(CHANGE_ALIKE, f"Change it for all {label.documents} alike", f"label {label.id}")
    return Screen(
        "Document",
        [
            section("\n".join(fact for fact in facts if fact), heading=called(entry)),
            actions(
                button(CHANGE, "Change its readers", f"documents {entry.id}", style="primary"),
                everywhere if others > 0 else None,
                button(FILE, "Put it into a collection", entry.id),
                button(REMOVE, "Remove it ...", entry.id),
            ),
            divider(),
            section("Why can, or cannot, somebody read it?", accessory=person_picker(WHY)),
            *(plain_blocks("\n".join(explained.sentences)) if explained else []),
        ],
        carried={"document": entry.id},
        back=(HOME, "0"),
    )


def labels(entries: Sequence[LabelEntry], start: int) -> Screen:
    """Every combination of readers; whatever stands under one follows when it is changed."""
    start = start if 0 <= start < len(entries) else 0
    lines = [
        section(
            f"{counted(entry.documents, 'document')} · written out: {entry.policy}",
            heading=f"For {entry.in_words}",
            accessory=button(CHANGE, "Change", f"label {entry.id}"),
        )
        for entry in entries[start : start + PAGE]
    ]
    about = context("Changed in one place: whatever has these readers follows.")
    return Screen(
        "Readers",
        [about, *lines, *pager(LABELS, start, PAGE, len(entries))],
        back=(HOME, "0"),
    )


def readers_form(of: str, what: str, options: Sequence[Block], policy: Policy | None, back: Back) -> Screen:
    """`of`: `documents 1,2`, `label 3`, `collection 4` or `source 5`; `what`: the same in words."""
    return Screen(
        "Change readers",
        [section("", heading=what), *readers_fields(options, policy)],
        form=READERS_FORM,
        submit="See the effect",
        carried={"of": of},
        back=back,
        about=of[:80],
    )


def file_form(ids: str, what: str, options: Sequence[Block], back: Back) -> Screen:
    none = {"text": {"type": "plain_text", "text": "No collection", "emoji": False}, "value": NO_COLLECTION}
    picker = menu(COLLECTION_FIELD, [none, *options], "Choose a collection")
    return Screen(
        "File",
        [
            section("They keep their readers.", heading=what),
            field("collection", "Which collection?", picker),
        ],
        form=FILE_FORM,
        submit="See the effect",
        carried={"documents": ids},
        back=back,
        about=ids[:80],
    )


def named(names: Sequence[str]) -> list[Block]:
    """`Document 32 is Travel policy 2026.`, for whoever may know."""
    return [context("\n".join(names))] if names else []


def confirm(change: Change, effect: Effect, back: Back | None, names: Sequence[str] = ()) -> Screen:
    """The dry run: what would happen, before it does. `names`: what numbers in it stand for."""
    return Screen(
        "Dry run",
        [*plain_blocks(would_be(change, effect)), *named(names)],
        form=CONFIRM_FORM,
        submit="Do it",
        carried=carry(change),
        back=back,
    )
