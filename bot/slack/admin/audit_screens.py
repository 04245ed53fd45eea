"""What `/audit` shows: values in, screens out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from auth.audit import Event, Sought
from bot.administering.administration import COMMAND_LINE
from bot.slack.admin.elements import (
    actions,
    button,
    context,
    date_picker,
    field,
    menu,
    option,
    person_picker,
    search_menu,
    section,
)
from bot.slack.admin.screens import UNDO_LATER, Screen, is_id
from bot.slack.admin.wording import beginning_of_day, end_of_day
from bot.slack.messages import typed_id

HOME, PAGES = "admin_audit", "admin_audit_page"
SEARCH_FORM = "admin_audit_form"
DOCUMENT_FIELD = "admin_audit_document"
PAGE = 15
PAGES_KEPT = 100
KINDS = {
    "answer.": "Answers, and answers shared",
    "question.": "Refusals",
    "grant.": "Roles given and taken away",
    "role.": "Roles made, changed and deleted",
    "role_inherits.": "What roles bring",
    "role_source": "Groups, channels and flags with roles",
    "access_label.": "Readers under a label",
    "document.": "Documents added, given readers, removed",
    "collection.": "Collections",
    "person.": "People as Slack tells them",
    "change.": "Changes undone",
    "audit.": "The log itself",
}
_PERSON = re.compile(r"[UW][A-Z0-9]+")
UNDOABLE = {
    *("grant", "role", "role_inherits", "role_source", "role_source_role"),
    *("access_label", "document", "collection"),
}
HELP = """\
/audit: search by person, document, kind and time
/audit @somebody: what they did, and what was done to them
/audit 12: what happened to document 12
For an export and for checking that nothing was altered: ostiary audit, on the command line."""


@dataclass(frozen=True)
class Search:
    """What is sought, days as whole days (UTC), and at which events the pages before this one began."""

    who: str = ""
    document: int | None = None
    kind: str = ""
    since: date | None = None
    until: date | None = None
    pages: tuple[int, ...] = ()

    @property
    def sought(self) -> Sought:
        first, last = beginning_of_day(self.since), end_of_day(self.until)
        return Sought(self.who or None, self.document, self.kind or None, first, last)

    @property
    def before(self) -> int | None:
        return self.pages[-1] if self.pages else None

    def carried(self) -> dict[str, Any]:
        days = {"since": self.since, "until": self.until}
        found = {"who": self.who, "document": self.document, "kind": self.kind, "pages": list(self.pages)}
        return found | {name: day.isoformat() for name, day in days.items() if day}


def search_carried(carried: Mapping[str, Any]) -> Search:
    """What a modal carried. It came back from outside: whatever is no search is dropped."""
    document, pages = carried.get("document"), carried.get("pages")
    return Search(
        str(carried.get("who") or ""),
        document if is_id(document) else None,
        kind if (kind := str(carried.get("kind") or "")) in KINDS else "",
        _day(carried.get("since")),
        _day(carried.get("until")),
        tuple(page for page in pages if is_id(page))[:PAGES_KEPT] if isinstance(pages, list) else (),
    )


def form() -> Screen:
    """All that can be asked for; everything may be left empty."""
    kinds = [option(words, kind) for kind, words in KINDS.items()]
    return Screen(
        "Audit",
        [
            field("who", "Who did it, or whom was it done to?", person_picker("who"), optional=True),
            field(
                "document",
                "Which document?",
                search_menu(DOCUMENT_FIELD, "Type words of a title, or a number"),
                optional=True,
            ),
            field("kind", "What?", menu("kind", kinds, "Anything"), optional=True),
            field("since", "First day", date_picker("since"), optional=True),
            field("until", "Last day", date_picker("until"), hint="Days are days of UTC.", optional=True),
        ],
        form=SEARCH_FORM,
        submit="Search",
    )


def found(search: Search, described: str, events: Sequence[tuple[Event, str]]) -> Screen:
    """A page of events, the latest first; one more than a page says that there are older ones."""
    shown, more = events[:PAGE], len(events) > PAGE
    newer = search.pages[-2] if len(search.pages) > 1 else 0
    turn = [
        button(f"{PAGES}:newer", "Newer", newer) if search.pages else None,
        button(f"{PAGES}:older", "Older", shown[-1][0].seq) if more else None,
        button(HOME, "Another search"),
    ]
    lines = [
        section(f"{event.at:%-d %B %Y, %H:%M} UTC · {words}", accessory=_undo(event))
        for event, words in shown
    ]
    return Screen(
        "Audit",
        [context(described), *(lines or [section("Nothing like this is in the log.")]), actions(*turn)],
        carried=search.carried(),
    )


def turned(search: Search, value: str) -> Search:
    """The search at another page: the one that begins before this event, 0 for the first."""
    before = typed_id(value) or 0
    return replace(
        search, pages=(*(page for page in search.pages if page > before), before) if before else ()
    )


def _undo(event: Event) -> dict[str, Any] | None:
    """Of what somebody decided; what Slack told, or an upgrade left, nobody takes back."""
    decided = _PERSON.fullmatch(event.actor) is not None or event.actor == COMMAND_LINE
    if not decided or event.relation not in UNDOABLE or event.details is None:
        return None
    if event.kind in {"document.added", "document.removed"}:
        return None
    return button(UNDO_LATER, "Undo ...", event.change_id)


def _day(written: object) -> date | None:
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        return None
