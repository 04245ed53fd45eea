"""What `/docs` shows of documents: values in, screens out."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from auth.audit import Event
from bot.administering.describing import Described, Twin
from bot.administering.overviews import DocumentEntry
from bot.administering.wording import counted, end_in_words, policy_in_words, size_in_words
from bot.slack.admin import access_screens as access
from bot.slack.admin.elements import (
    actions,
    button,
    context,
    date_picker,
    divider,
    field,
    menu,
    person_picker,
    search_menu,
    section,
    tick,
)
from bot.slack.admin.failure_screens import FAILURES
from bot.slack.admin.naming import called, origin_in_words
from bot.slack.admin.narrowing_screens import NARROW, Narrowed
from bot.slack.admin.screens import Screen
from bot.slack.admin.source_screens import HOME as SOURCES_KEPT
from bot.slack.taking_again import can_be_had
from bot.slack.views import Block
from retrieval.cataloguing import State

HOME, ONE, HISTORY = "admin_docs", "admin_docs_one", "admin_docs_history"
END, END_FORM = "admin_docs_end", "admin_docs_end_form"
WHOSE, WHOSE_FORM = "admin_docs_owner", "admin_docs_owner_form"
AGAIN, ALL = "admin_docs_refresh", "admin_docs_all"
PAGE = 15
SHOWN_VERSIONS = 10

HELP = """\
/docs: the documents there are, how they stand, and what could not be taken in
/docs words of a title, or a document's number
/docs sources: the channels, folders, web pages and others that are read again by themselves
In the modal: versions and what happened, until when a document answers, whose it is, what says nearly the same; \
take it in again, or remove it. Who may read what is for /access."""


def documents(
    entries: Sequence[DocumentEntry], which: Narrowed, collections: Mapping[int, str], start: int
) -> Screen:
    """A page of documents; one more than a page says that there are more."""
    shown, more = entries[:PAGE], len(entries) > PAGE
    turn = [
        button(f"{HOME}:earlier", "Earlier", max(0, start - PAGE)) if start else None,
        button(f"{HOME}:later", "More", start + PAGE) if more else None,
    ]
    about = which.in_words(collections)
    none = "There is nothing like this that you may read." if about else "There are no documents yet."
    return Screen(
        "Documents",
        [
            actions(
                search_menu(ONE, "Find a document"),
                button(NARROW, "Narrow the list"),
                button(FAILURES, "What failed"),
                button(SOURCES_KEPT, "Sources"),
            ),
            *([section(f"{about}.", accessory=button(ALL, "Show all"))] if about else []),
            divider(),
            *([_in_short(entry) for entry in shown] or [section(none)]),
            *([actions(*turn)] if any(turn) else []),
        ],
        carried=which.carried(),
    )


def _in_short(entry: DocumentEntry) -> Block:
    parts = [
        _standing(entry),
        f"for {policy_in_words(entry.policy)}",
        f"in {entry.collection}" if entry.collection else "",
        f"of {entry.owner}" if entry.owner else "",
        f"number {entry.id}" if entry.title else "",
    ]
    about = " · ".join(part for part in parts if part)
    return section(about, heading=called(entry), accessory=button(ONE, "Open", entry.id))


def _standing(entry: DocumentEntry) -> str:
    """`Answering until the end of 3 March 2026`, `Expired with the end of ...`."""
    if entry.state is State.ANSWERING:
        return f"Answering until {end_in_words(entry.expires_at)}" if entry.expires_at else "Answering"
    if entry.state is State.EXPIRED and entry.expires_at:
        return f"Expired: it answered until {end_in_words(entry.expires_at)}"
    if entry.state is State.STALE:
        return "Stale: what this approved answer was made from has changed"
    return "Withdrawn: its source has it no more"


def one(entry: DocumentEntry, described: Described) -> Screen:
    current = next((version for version in described.versions if version.is_current), None)
    amount = counted(current.passages, "passage") if current else ""
    if current and entry.title is not None:  # how large it is, to the byte, tells which file it is
        size = f", {size_in_words(current.size)}" if current.size is not None else ""
        amount += f"{size}, {current.media_type}"
    past = len(described.versions) - 1
    earlier = f", and {counted(past, 'earlier version')}" if past > 0 else ""
    facts = [
        f"{_standing(entry)}.",
        f"For {policy_in_words(entry.policy)}.",
        f"In the collection {entry.collection}." if entry.collection else "",
        f"It belongs to {entry.owner}." if entry.owner else "It belongs to nobody.",
        f"{amount}{earlier}.",
        " · ".join(
            part for part in (f"Number {entry.id}" if entry.title else "", origin_in_words(entry.uri)) if part
        ),
    ]
    return Screen(
        "Document",
        [
            section("\n".join(fact for fact in facts if fact), heading=called(entry)),
            *([_alike(described.twins)] if described.twins else []),
            actions(
                button(access.DOCUMENT, "Readers ...", entry.id, style="primary"),
                button(END, "Until when? ...", entry.id),
                button(WHOSE, "Whose is it? ...", entry.id),
                button(HISTORY, "History", entry.id),
            ),
            actions(
                button(AGAIN, "Take it in again", entry.id)
                if entry.uri is None or can_be_had(entry.uri)
                else None,
                button(access.REMOVE, "Remove it ...", entry.id),
            ),
        ],
        carried={"document": entry.id},
        back=(HOME, "0"),
    )


def _alike(twins: Sequence[Twin]) -> Block:
    lines = [f"{'It is' if twin.same_bytes else 'It looks'} {twin.in_words()}." for twin in twins]
    return context("\n".join([*lines, "Each keeps its own readers; nothing is merged."]))


def history(
    entry: DocumentEntry, described: Described, events: Sequence[tuple[Event, str]], older: int | None
) -> Screen:
    """Its versions on the first page, and what happened; `older`: the event before which the next page begins."""
    lines = [section(f"{event.at:%-d %B %Y, %H:%M} UTC · {words}") for event, words in events]
    versions = [_version(described, place) for place in range(min(len(described.versions), SHOWN_VERSIONS))]
    turn = [actions(button(f"{HISTORY}:older", "Older", f"{entry.id} {older}"))] if older else []
    return Screen(
        "History",
        [
            section("\n".join(versions) or "It has no version.", heading=called(entry)),
            divider(),
            *(lines or [section("The log says nothing of it.")]),
            *turn,
        ],
        back=(ONE, str(entry.id)),
    )


def _version(described: Described, place: int) -> str:
    version = described.versions[place]
    facts = described.facts.get(version.id)
    said = (
        [facts.title, f"dated {facts.dated:%-d %B %Y}" if facts.dated else "", facts.author or ""]
        if facts
        else []
    )
    parts = [
        f"• {version.created_at:%-d %B %Y, %H:%M} UTC",
        "current" if version.is_current else "superseded",
        *(part for part in said if part),
        counted(version.passages, "passage"),
    ]
    return " · ".join(parts)


def end_form(entry: DocumentEntry) -> Screen:
    day = date_picker("day")
    if entry.expires_at:
        day["initial_date"] = _last_day(entry.expires_at).isoformat()
    for_good = tick("for_good", "For good", "Also where a day is chosen: it never expires")
    return Screen(
        "Until when?",
        [
            section(
                "On the day after it answers nobody, and is kept. A day that is past ends it now.",
                heading=called(entry),
            ),
            field("day", "Last day on which it answers", day, hint="Days are days of UTC.", optional=True),
            field("for_good", "Or", for_good, optional=True),
        ],
        form=END_FORM,
        submit="See the effect",
        carried={"document": entry.id},
        back=(ONE, str(entry.id)),
        about=str(entry.id),
    )


def _last_day(expires_at: datetime) -> date:
    return (expires_at - timedelta(microseconds=1)).date()


def owner_form(entry: DocumentEntry, roles: Sequence[Block]) -> Screen:
    return Screen(
        "Whose is it?",
        [
            section(
                "Whom to ask about it. It opens nothing to them. Nothing chosen: nobody's.",
                heading=called(entry),
            ),
            field("person", "A person", person_picker("person"), optional=True),
            field("role", "Or the holders of a role", menu("role", roles, "Choose a role"), optional=True),
        ],
        form=WHOSE_FORM,
        submit="See the effect",
        carried={"document": entry.id},
        back=(ONE, str(entry.id)),
        about=str(entry.id),
    )
