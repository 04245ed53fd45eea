"""The names of what a page of the audit log speaks of, for `bot.audit_words.in_words`."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event
from auth.database import WORKSPACE
from auth.directory import find_people
from auth.labels import parse_policy
from auth.people import Person
from bot.administering.wording import policy_in_words
from bot.audit_words import source_in_words

# As they were called last: what is gone is named too.
_LATEST = text(
    "SELECT DISTINCT ON (relation, subject) relation, subject,"
    "  coalesce(nullif(details -> 'becomes', 'null'), details -> 'was') AS row"
    f" FROM auth.audit_event WHERE workspace_id = {WORKSPACE}"
    "  AND ((relation = 'document' AND document_id = ANY(:documents))"
    "   OR relation IN ('access_label', 'role_source', 'collection'))"
    " ORDER BY relation DESC, subject DESC, seq DESC"
)
_CHANNELS = text(
    f"SELECT channel_id, name FROM auth.channel WHERE workspace_id = {WORKSPACE} AND channel_id = ANY(:channels)"
)
_NAMED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "document": ("document", lambda row: str(row["uri"])),
    "access_label": ("label", lambda row: policy_in_words(parse_policy(row["policy"]))),
    "role_source": ("source", source_in_words),
    "collection": ("collection", lambda row: str(row["name"])),
}


def by_handle(person: Person) -> str:
    return f"@{person.handle}"


async def read_names(
    connection: AsyncConnection, events: Iterable[Event], called: Callable[[Person], str] = by_handle
) -> dict[str, str]:
    """The people, channels, documents, labels, sources and collections in these events; people as `called` says."""
    slack_user_ids, documents, channels = set[str](), set[int](), set[str]()
    for event in events:
        details = event.details or {}
        somebody = (event.actor, event.person, details.get("asker"))
        slack_user_ids |= {slack_user_id for slack_user_id in somebody if slack_user_id}
        documents |= {event.document_id} if event.document_id is not None else set()
        documents |= set(details.get("documents", ()))
        channels |= {details["channel"]} if "channel" in details else set()
    people = await find_people(connection, slack_user_ids)
    names = {slack_user_id: called(person) for slack_user_id, person in people.items()}
    for row in await connection.execute(_CHANNELS, {"channels": sorted(channels)}):
        names[row.channel_id] = f"#{row.name}"
    for row in await connection.execute(_LATEST, {"documents": sorted(documents)}):
        what, name_of = _NAMED[row.relation]
        names[f"{what}:{row.subject}"] = name_of(row.row)
    return names
