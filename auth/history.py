"""The directory as it was, and who could read what then, from the audit log.

Sources of roles: the log notes when one became too old, not when it was read, so that one counts as fresh until
it was noted. Every function takes a connection from `Database.writing_in` or `deciding_in`.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import ANSWER_SENT
from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.past import DECIDING, REMEMBERED, PastState, RecordedChange, Row
from auth.seeing import Could, Watch

PAGE = 1000
_STATE_COLUMNS = (
    "seq, at, policy_version, change_id, relation, subject, details -> 'was' AS was,"
    " details -> 'becomes' AS becomes"
)
_STATE = text(
    f"SELECT * FROM (SELECT DISTINCT ON (relation, subject) {_STATE_COLUMNS}"
    f"  FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = ANY(:relations) AND seq <= :seq"
    "  ORDER BY relation DESC, subject DESC, seq DESC) s WHERE jsonb_typeof(becomes) <> 'null'"
)
_DOCUMENT = text(
    f"SELECT {_STATE_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = 'document'"
    " AND document_id = :document_id AND seq <= :seq ORDER BY seq DESC LIMIT 1"
)
_CHANGES = text(
    f"SELECT {_STATE_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE}"
    " AND seq > :after AND seq <= :until AND (relation = ANY(:relations)"
    "  OR (relation = 'document' AND document_id = :document_id)) ORDER BY seq LIMIT :limit"
)
# A transaction whose events go on past the moment had not come to its end by then: none of it counts.
_SEQ_AT = text(
    "WITH reached AS (SELECT coalesce((SELECT seq FROM auth.audit_event"
    f"   WHERE workspace_id = {WORKSPACE} AND at <= :at ORDER BY seq DESC LIMIT 1), 0) AS seq)"
    " SELECT least(r.seq, n.change_id - 1) FROM reached r LEFT JOIN auth.audit_event n"
    f"  ON n.workspace_id = {WORKSPACE} AND n.seq = r.seq + 1"
)
_SEQ_OF_VERSION = text(
    f"SELECT seq FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND policy_version <= :version"
    " ORDER BY policy_version DESC, seq DESC LIMIT 1"
)
# Versions only grow along the log: what follows the last event of one belongs to the next.
_VERSION_TIMES = text(f"""
    WITH last AS (SELECT coalesce((SELECT seq FROM auth.audit_event WHERE workspace_id = {WORKSPACE}
        AND policy_version <= :version ORDER BY policy_version DESC, seq DESC LIMIT 1), 0) AS seq)
    SELECT last.seq AS last_seq,
        (SELECT min(at) FROM auth.audit_event
            WHERE workspace_id = {WORKSPACE} AND policy_version = :version) AS began,
        (SELECT max(at) FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND change_id = (SELECT n.change_id
            FROM auth.audit_event n WHERE n.workspace_id = {WORKSPACE} AND n.seq = last.seq + 1)) AS ended
    FROM last
""")
_LABELS_OVER_TIME = text(
    "SELECT document_id, at, policy_version, (details -> 'becomes' ->> 'label_id')::bigint AS label_id"
    f" FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = 'document'"
    " AND document_id = ANY(:documents) ORDER BY seq"
)
_LAPSES = text(
    "SELECT id FROM (SELECT DISTINCT ON (subject) (details -> 'was' ->> 'id')::bigint AS id,"
    '  details @> \'{"was": {"lapsed": false}, "becomes": {"lapsed": true}}\' AS lapses'
    f"  FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = 'role_source' AND seq > :seq"
    "  ORDER BY subject, seq) n WHERE lapses ORDER BY id"
)
_LAST_SEQ = text(f"SELECT max(seq) FROM auth.audit_event WHERE workspace_id = {WORKSPACE}")
_STANDING = text(
    f"SELECT {WORKSPACE} AS workspace_id, coalesce((SELECT policy_version FROM auth.audit_event"
    f" WHERE workspace_id = {WORKSPACE} AND seq = :seq), 0) AS policy_version"
)
_BEGAN = text(f"SELECT at FROM auth.audit_event WHERE workspace_id = {WORKSPACE} ORDER BY seq LIMIT 1")
_BY_ID = text(
    f"SELECT document_id FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = 'document'"
    " AND document_id = :document_id LIMIT 1"
)
_BY_URI = text(
    f"SELECT document_id FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND relation = 'document'"
    " AND :uri IN (details -> 'was' ->> 'uri', details -> 'becomes' ->> 'uri')"
    " ORDER BY coalesce(at < :before, true) DESC, seq DESC LIMIT 1"
)
# Of what is gone, the row as it was last.
_LAST_KNOWN = text(
    "SELECT DISTINCT ON (relation, subject) relation, subject,"
    "  coalesce(nullif(details -> 'becomes', 'null'), details -> 'was') AS row"
    f" FROM auth.audit_event WHERE workspace_id = {WORKSPACE}"
    "  AND (relation = ANY(:relations) OR (relation = 'document' AND document_id = ANY(:documents)))"
    " ORDER BY relation DESC, subject DESC, seq DESC"
)
_TOLD = text(
    "SELECT e.seq, e.at, (e.details ->> 'answer')::bigint AS answer_id,"
    "  (e.details ->> 'question')::bigint AS question_id, e.details ->> 'part' AS part,"
    "  e.details ->> 'asker' AS asker, a.members, a.every_member"
    " FROM auth.audit_event e JOIN auth.audience a"
    "  ON a.workspace_id = e.workspace_id AND a.id = (e.details ->> 'audience')::bigint"
    f" WHERE e.workspace_id = {WORKSPACE} AND e.kind = '{ANSWER_SENT}'"
    " AND e.details -> 'documents' @> to_jsonb(CAST(:document_id AS bigint)) ORDER BY e.seq"
)


class UnrecordedDocument(OstiaryError):
    """No document of this name was ever here; the message says how to name one."""


class OutsideHistory(OstiaryError):
    """The log says nothing of that day; the message says of which it does."""


@dataclass(frozen=True)
class Told:
    """An answer made from a document was sent, or was about to be: to whom, and when.

    `every_member` says that it stood in a public channel, for any full member to read.
    """

    seq: int
    at: datetime
    answer_id: int
    question_id: int
    part: str
    asker: str
    members: tuple[str, ...]
    every_member: bool


@dataclass(frozen=True)
class Labelled:
    """Which label a document had from a moment on; None once it was deleted."""

    at: datetime
    policy_version: int
    label_id: int | None


@dataclass(frozen=True)
class VersionTimes:
    """When a policy version began, when the next one took over, and the last event under it. None: never."""

    last_seq: int
    began: datetime | None
    ended: datetime | None


async def state_at(
    connection: AsyncConnection,
    *,
    seq: int | None = None,
    at: datetime | None = None,
    policy_version: int | None = None,
    relations: Collection[str] = REMEMBERED,
) -> PastState:
    """The directory right after event `seq`, at a moment, or as of a policy version; else as it is now.

    Of `relations` alone, if given.
    """
    reached = await _reached(connection, seq, at, policy_version)
    standing = (await connection.execute(_STANDING, {"seq": reached})).one()
    state = PastState(standing.workspace_id)
    rows = await connection.execute(_STATE, {"relations": sorted(relations), "seq": reached})
    state.apply_all(RecordedChange(**row._mapping) for row in rows)
    state.seq, state.policy_version = reached, standing.policy_version
    return state


async def changes_between(
    connection: AsyncConnection,
    after: int,
    until: int,
    relations: Collection[str] = REMEMBERED,
    document_id: int | None = None,
) -> AsyncIterator[list[RecordedChange]]:
    """What changed after event `after`, up to and with `until`: the changes of one transaction at a time.

    `document_id` adds the changes of one document where `relations` leave documents out.
    """
    wanted = {"until": until, "relations": sorted(relations), "document_id": document_id, "limit": PAGE}
    together: list[RecordedChange] = []
    while rows := (await connection.execute(_CHANGES, {**wanted, "after": after})).all():
        for change in (RecordedChange(**row._mapping) for row in rows):
            if together and together[-1].change_id != change.change_id:
                yield together
                together = []
            together.append(change)
        after = rows[-1].seq
    if together:
        yield together


async def began(connection: AsyncConnection) -> datetime | None:
    """The moment of the first event; None where there is none."""
    return (await connection.execute(_BEGAN)).scalar()


async def find_document(connection: AsyncConnection, named: str, before: datetime | None = None) -> int:
    """The id of the document with this id or address, deleted since or not. Raises UnrecordedDocument.

    An address may have belonged to several, one after the other: the latest that was there by `before` is meant,
    or else the latest of all.
    """
    is_id = named.isascii() and named.isdecimal() and len(named) < 19
    if is_id:
        found = (await connection.execute(_BY_ID, {"document_id": int(named)})).scalar()
    else:
        found = (await connection.execute(_BY_URI, {"uri": named, "before": before})).scalar()
    if found is None:
        what = f"the id {named}" if is_id else f"the address {named}"
        raise UnrecordedDocument(
            f"No document with {what} was ever here. Name it by its id, or by its address just as"
            " `ostiary audit search --kind document` shows it."
        )
    return int(found)


async def who_could_see(
    connection: AsyncConnection, document_id: int, day: date, now: datetime | None = None
) -> list[Could]:
    """Everybody who could have read a document at any moment of a day (UTC), from when until when, by what.

    Those who read it in an answer are `who_was_told`. Raises OutsideHistory for a day that the log does not cover.
    """
    start = datetime.combine(day, time(), UTC)
    end = min(start + timedelta(days=1), now or datetime.now(UTC))
    first = await began(connection)
    if first is None or first >= end or start >= end:
        since = f"begins on {first:%Y-%m-%d}" if first else "is empty"
        raise OutsideHistory(
            f"The audit log {since} and says nothing of {day:%Y-%m-%d}. Name another day (UTC)."
        )
    state = await state_at(connection, at=start, relations=DECIDING)
    reached = await _seq_at(connection, end)
    after = state.seq
    document = (await connection.execute(_DOCUMENT, {"document_id": document_id, "seq": after})).first()
    if document is not None:
        state.apply(RecordedChange(**document._mapping))
    watch = Watch(state, document_id, start)
    async for together in changes_between(connection, after, reached, DECIDING, document_id):
        watch.follow(together)
    return watch.finish(end)


async def who_was_told(connection: AsyncConnection, document_id: int) -> list[Told]:
    """Every answer that was made from a document, oldest first, but for those whose details were withdrawn."""
    rows = await connection.execute(_TOLD, {"document_id": document_id})
    return [Told(**{**row._mapping, "members": tuple(row.members)}) for row in rows]


async def labels_over_time(
    connection: AsyncConnection, document_ids: Collection[int]
) -> dict[int, list[Labelled]]:
    """Every label that each of these documents had, oldest first."""
    found: dict[int, list[Labelled]] = {document_id: [] for document_id in document_ids}
    for row in await connection.execute(_LABELS_OVER_TIME, {"documents": sorted(document_ids)}):
        found[row.document_id].append(Labelled(row.at, row.policy_version, row.label_id))
    return found


async def last_known(
    connection: AsyncConnection, relations: Collection[str], document_ids: Collection[int]
) -> list[tuple[str, str, Row]]:
    """(relation, subject, row) of all that ever stood in these relations, and of these documents, as last known."""
    values = {"relations": sorted(relations), "documents": sorted(document_ids)}
    return [(r.relation, r.subject, r.row) for r in await connection.execute(_LAST_KNOWN, values)]


async def times_of_version(connection: AsyncConnection, version: int) -> VersionTimes:
    """When a policy version was in force."""
    row = (await connection.execute(_VERSION_TIMES, {"version": version})).one()
    return VersionTimes(**row._mapping)


async def lapses_to_come(connection: AsyncConnection, seq: int) -> list[int]:
    """Sources whose next change after event `seq` is that they were found too old: perhaps they were already."""
    return list((await connection.execute(_LAPSES, {"seq": seq})).scalars())


async def _reached(
    connection: AsyncConnection, seq: int | None, at: datetime | None, version: int | None
) -> int:
    """The last event that counts; the earliest of those asked for."""
    reached = [seq] if seq is not None else []
    if at is not None:
        reached.append(await _seq_at(connection, at))
    if version is not None:
        found = (await connection.execute(_SEQ_OF_VERSION, {"version": version})).scalar()
        reached.append(found or 0)
    return min(reached) if reached else (await connection.execute(_LAST_SEQ)).scalar() or 0


async def _seq_at(connection: AsyncConnection, at: datetime) -> int:
    return int((await connection.execute(_SEQ_AT, {"at": at})).scalar_one())
