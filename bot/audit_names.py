"""The names of what a page of the audit log speaks of, for `bot.audit_words.in_words`."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event
from auth.channels import channel_names
from auth.directory import find_people, people_with
from auth.history import last_known
from auth.labels import parse_policy
from bot.administering.wording import policy_in_words
from bot.audit_words import called_source

_NAMED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "document": ("document", lambda row: str(row["uri"])),
    "access_label": ("label", lambda row: policy_in_words(parse_policy(row["policy"]))),
    "role_source": ("source", called_source),
    "collection": ("collection", lambda row: str(row["name"])),
    "source": ("kept", lambda row: str(row["reference"])),
}


async def read_names(
    connection: AsyncConnection, events: Iterable[Event], *, at_the_machine: bool = True
) -> dict[str, str]:
    """The people, labels, sources and collections in these events; what leads to documents at the machine alone.

    A document's address, that of a source of documents, and the name of a private channel, are not for everybody
    who may look into the log.
    """
    slack_user_ids, documents, channels, owners = set[str](), set[int](), set[str](), set[int]()
    for event in events:
        details = event.details or {}
        somebody = (event.actor, event.person, details.get("asker"))
        slack_user_ids |= {slack_user_id for slack_user_id in somebody if slack_user_id}
        owners |= _owners(event)
        if at_the_machine:
            documents |= documents_of(event)
            channels |= {details["channel"]} if "channel" in details else set()
    people = await find_people(connection, slack_user_ids)
    names = {slack_user_id: f"@{person.handle}" for slack_user_id, person in people.items()}
    owning = await people_with(connection, owners) if owners else {}
    names |= {f"person:{person_id}": f"@{person.handle}" for person_id, person in owning.items()}
    relations = _NAMED.keys() - {"document"} - (set() if at_the_machine else {"source"})
    names |= {channel: f"#{name}" for channel, name in (await channel_names(connection, channels)).items()}
    for relation, subject, row in await last_known(connection, relations, documents):
        what, name_of = _NAMED[relation]
        names[f"{what}:{subject}"] = name_of(row)
    return names


def _owners(event: Event) -> set[int]:
    """The ids of people to whom a document belonged, or belongs."""
    if event.relation != "document":
        return set()
    rows = [row for row in (event.details or {}).values() if row]
    return {row["owner_id"] for row in rows if row.get("owner_id")}


def documents_of(event: Event) -> set[int]:
    """The ids of all documents that an event speaks of."""
    listed = (event.details or {}).get("documents")
    named = {event.document_id} if event.document_id is not None else set()
    return named | {n for n in listed if isinstance(n, int)} if isinstance(listed, list) else named
