"""What `/access` shows of collections: values in, screens out."""

from collections.abc import Sequence
from datetime import timedelta

from bot.administering.overviews import CollectionEntry
from bot.administering.wording import counted, policy_in_words, span_in_words
from bot.slack.admin.access_screens import CHANGE, COLLECTION, COLLECTIONS, HOME, PAGE
from bot.slack.admin.elements import actions, button, divider, field, menu, option, section, text_field
from bot.slack.admin.naming import chosen_of
from bot.slack.admin.readers_fields import readers_fields
from bot.slack.admin.role_screens import ROLE_FIELD
from bot.slack.admin.screens import Screen, pager
from bot.slack.views import Block

DEFINE, LOAN, COLLECTION_FORM = "admin_collection_new", "admin_collection_edit", "admin_collection_form"
FADE, FADE_FORM = "admin_collection_fade", "admin_collection_fade_form"
LENT_FOR = {
    timedelta(hours=1): "an hour",
    timedelta(hours=4): "4 hours",
    timedelta(days=1): "a day",
    timedelta(weeks=1): "a week",
    timedelta(days=30): "30 days",
}


def collections(entries: Sequence[CollectionEntry], start: int) -> Screen:
    start = start if 0 <= start < len(entries) else 0
    lines = [
        section(_in_words(entry), heading=entry.name, accessory=button(COLLECTION, "Open", entry.id))
        for entry in entries[start : start + PAGE]
    ]
    return Screen(
        "Collections",
        [
            actions(button(DEFINE, "New collection", style="primary")),
            divider(),
            *(lines or [section("There are no collections yet.")]),
            *pager(COLLECTIONS, start, PAGE, len(entries)),
        ],
        back=(HOME, "0"),
    )


def one_collection(entry: CollectionEntry) -> Screen:
    return Screen(
        "Collection",
        [
            section(_in_words(entry), heading=entry.name),
            actions(
                button(CHANGE, "Change its readers", f"collection {entry.id}", style="primary"),
                button(LOAN, "Change owners and loan", entry.id),
                button(FADE, "How fast it fades ...", entry.id),
            ),
        ],
        back=(COLLECTIONS, "0"),
    )


def collection_form(options: Sequence[Block], entry: CollectionEntry | None = None) -> Screen:
    """A new collection, or an existing one with what it is."""
    called = field("name", "Name", text_field("name", most=200))
    return Screen(
        "Change a collection" if entry else "New collection",
        [
            section("", heading=entry.name) if entry else called,
            *readers_fields(options, entry.policy if entry else None),
            field(
                "owner",
                "Who owns it?",
                _role(options, entry.owner_role if entry else None),
                hint="Holders of this role may be asked for it by people who cannot read it.",
                optional=True,
            ),
            field(
                "lent",
                "Which role do they lend?",
                _role(options, entry.lent_role if entry else None),
                hint="It must be among the readers.",
                optional=True,
            ),
            field("lent_for", "For how long?", _spans(entry.lent_for if entry else timedelta(days=1))),
        ],
        form=COLLECTION_FORM,
        submit="See the effect",
        carried={"collection": entry.id} if entry else {},
        back=(COLLECTION, str(entry.id)) if entry else (COLLECTIONS, "0"),
        about=f"collection {entry.id}" if entry else "",
    )


def fade_form(entry: CollectionEntry) -> Screen:
    days = str(entry.half_life_days) if entry.half_life_days is not None else ""
    return Screen(
        "How fast it fades",
        [
            section(
                "News counts less the older it is; a policy counts the same as long as it is in force.",
                heading=entry.name,
            ),
            field(
                "days",
                "After how many days does it count half?",
                text_field("days", initial=days, placeholder="30", most=5),
                hint="Left empty, it does not fade.",
                optional=True,
            ),
        ],
        form=FADE_FORM,
        submit="See the effect",
        carried={"collection": entry.id},
        back=(COLLECTION, str(entry.id)),
        about=f"collection {entry.id}",
    )


def _role(options: Sequence[Block], chosen: str | None) -> Block:
    return menu(ROLE_FIELD, options, "Choose a role", chosen=chosen_of(options, [chosen or ""]))


def _spans(chosen: timedelta) -> Block:
    spans = {**LENT_FOR, chosen: _span(chosen)}
    options = [option(words, str(int(span.total_seconds()))) for span, words in sorted(spans.items())]
    return menu(
        "lent_for", options, "Choose a time", chosen=chosen_of(options, [str(int(chosen.total_seconds()))])
    )


def _in_words(entry: CollectionEntry) -> str:
    said = f"For {policy_in_words(entry.policy)} · {counted(entry.documents, 'document')}"
    if entry.half_life_days is not None:
        said += f"\nIt fades: what is in it counts half after {counted(entry.half_life_days, 'day')}."
    if not entry.can_be_asked_for:
        return f"{said}\nNobody can be asked for it."
    return f"{said}\nHolders of {entry.owner_role} may lend {entry.lent_role} for {_span(entry.lent_for)}."


def _span(span: timedelta) -> str:
    return LENT_FOR.get(span) or span_in_words(span)
