"""Which documents `/docs` lists, and the form in which somebody says so: values in, screens out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.admin import access_screens as access
from bot.slack.admin.elements import field, menu, option
from bot.slack.admin.screens import Screen, is_id
from bot.slack.views import Block
from retrieval.approved import SCHEME
from retrieval.cataloguing import State

DOCUMENTS, NARROW, NARROW_FORM = "admin_docs", "admin_docs_narrow", "admin_docs_narrow_form"
SOURCES = {
    "http": "Web pages",
    "file:": "Files of the server",
    "slack-": "Handed in through Slack",
    SCHEME: "Approved answers",
}
STATES = {
    State.ANSWERING: "Answering",
    State.EXPIRED: "Expired",
    State.WITHDRAWN: "Withdrawn",
    State.STALE: "Approved answers that are stale",
}


@dataclass(frozen=True)
class Narrowed:
    """Which documents are listed."""

    words: str = ""
    collection: int | None = None
    state: State | None = None
    source: str = ""

    def carried(self) -> dict[str, Any]:
        found = {
            "words": self.words,
            "collection": self.collection,
            "state": self.state,
            "source": self.source,
        }
        return {name: value for name, value in found.items() if value}

    def in_words(self, collections: Mapping[int, str]) -> str:
        parts = [
            f"found by: {self.words}" if self.words else "",
            f"in {collections.get(self.collection, 'a collection that is gone')}" if self.collection else "",
            STATES[self.state].lower() if self.state else "",
            SOURCES[self.source].lower() if self.source else "",
        ]
        return ", ".join(part for part in parts if part).capitalize()


def narrowed(carried: Mapping[str, Any]) -> Narrowed:
    """What a modal carried. It came back from outside: whatever cannot be is dropped."""
    collection, state, source = (carried.get(name) for name in ("collection", "state", "source"))
    return Narrowed(
        str(carried.get("words") or ""),
        collection if is_id(collection) else None,
        State(state) if state in list(State) else None,
        str(source) if source in SOURCES else "",
    )


def narrow_form(which: Narrowed, collections: Sequence[Block]) -> Screen:
    states = [option(words, state) for state, words in STATES.items()]
    sources = [option(words, source) for source, words in SOURCES.items()]
    chosen = [made for made in collections if made["value"] == str(which.collection)]
    picker = (
        menu(access.COLLECTION_FIELD, collections, "Any collection", chosen=chosen) if collections else None
    )
    return Screen(
        "Narrow the list",
        [
            *([field("collection", "Collection", picker, optional=True)] if picker else []),
            field(
                "state",
                "How it stands",
                menu("state", states, "Any", chosen=_same(states, which.state)),
                optional=True,
            ),
            field(
                "source",
                "Where it came from",
                menu("source", sources, "Anywhere", chosen=_same(sources, which.source)),
                hint="Shows only documents that you may read yourself.",
                optional=True,
            ),
        ],
        form=NARROW_FORM,
        submit="Show",
        carried={"words": which.words} if which.words else {},
        back=(DOCUMENTS, "0"),
    )


def _same(options: Sequence[Block], value: str | None) -> list[Block]:
    return [made for made in options if made["value"] == value]
