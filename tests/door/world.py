"""The real door in a small company: real PostgreSQL, the bot's own desks and replier, Slack in memory."""

import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import text

from auth.database import WORKSPACE, Database
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.granting import define_built_in_roles, define_role, grant, revoke
from auth.labelling import change_label, intern_label
from auth.labels import Clause, Policy
from auth.people import PersonKind
from auth.roles import RoleCycle
from auth.sources import SourceKind, leave_source, map_source, source_was_read, unmap_source
from bot.assistant import NOTHING_FOUND, Assistant
from bot.slack.answer_views import ASK_AGAIN, OPEN_SOURCE, SHOW_AROUND, SHOW_PASSAGES
from bot.slack.asking import NO_LONGER, AskingDesk
from bot.slack.lending import FORWARDED, Lending
from bot.slack.places import DIRECT
from bot.slack.questions import IncomingQuestion
from bot.slack.replying import NOTHING_TO_SHARE, RIGHTS_MOVED, Replier
from bot.slack.team import Team
from bot.slack.views import ASK_OWNER, DECLINE, LEND, SHARE_ANSWER
from retrieval.embedding import TokenVectors, as_pgvector
from retrieval.locks import CrossCheck
from retrieval.relabelling import relabel_documents
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import SearchSettings
from tests.door.company import Channel, Company, Document, Group, Somebody
from tests.door.company import Clause as PlainClause
from tests.door.memory import (
    InterruptedParrot,
    LeakError,
    MemoryAudiences,
    MemoryOutbox,
    MemoryQueue,
    MemoryRoster,
    MemorySlack,
)
from tests.unit.answering.scripted import embed_by_words

ROLES = ("red", "green", "blue", "lent")
PEOPLE = ("UANN", "UBOB", "UCAT", "UGUS", "UOUT")
KINDS = ("member", "member", "member", "guest", "outsider")
CHANNELS = {"CPUB": "public", "CPRIV": "private", "CMPIM": "mpim", "CSHARED": "shared"}
GROUPS = ("SONE", "STWO")
TEAM = "TDOOR"
BUTTONS = {SHARE_ANSWER, ASK_OWNER, LEND, DECLINE}
_teams = itertools.count(1)
_words = itertools.count(1)

_DOCUMENT = text(
    "INSERT INTO retrieval.document (workspace_id, label_id, uri, title, collection_id)"
    f" VALUES ({WORKSPACE}, :label_id, :uri, :title, :collection) RETURNING id"
)
_VERSION = text(
    "INSERT INTO retrieval.version (workspace_id, document_id, label_id, is_current, content_hash, title,"
    f" media_type) VALUES ({WORKSPACE}, :document_id, :label_id, true, '\\x00', :title, 'text/plain') RETURNING id"
)
_CHUNK = text(
    "WITH stored AS (INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current,"
    "  ordinal, text, heading_path, tokens, words)"
    f" VALUES ({WORKSPACE}, :document_id, :version_id, :label_id, true, 0, CAST(:said AS text), :headings, 4,"
    "  to_tsvector('english', CAST(:said AS text))) RETURNING id)"
    " INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    f" SELECT {WORKSPACE}, id, :label_id, :document_id, CAST(:emb AS vector) FROM stored"
)
_COLLECTION = text(
    "INSERT INTO retrieval.collection (workspace_id, name, label_id, owner_role, lent_role)"
    f" VALUES ({WORKSPACE}, 'Plans', :label_id, 'red', 'lent') RETURNING id"
)
_DELETE = text(f"DELETE FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = :id")


class Words:
    """Stands in for the embedder: texts that share words are near."""

    def encode(self, texts: list[str]) -> Any:
        return embed_by_words(texts)

    def encode_tokens(self, texts: list[str]) -> Any:
        tokens = [TokenVectors(tuple(words), embed_by_words(words)) for words in map(str.split, texts)]
        return self.encode(texts), tokens


class World:
    """One company in a workspace of its own. Every move changes the real door and the plain account alike."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.company = Company()
        self.slack = MemorySlack(self.company)
        self.queue = MemoryQueue()
        self.parrot = InterruptedParrot()
        self.asked: Counter[str] = Counter()
        self.collection_id = 0
        self.labels: dict[int, frozenset[PlainClause]] = {}
        self.label_of: dict[int, int] = {}

    @classmethod
    async def found(cls, database: Database) -> "World":
        world = cls(database)
        async with database.registering() as connection:
            world.workspace_id = await register_workspace(connection, f"{TEAM}{next(_teams)}", "Drawn")
        await world._people_come()
        outbox: Any = MemoryOutbox(world.slack)
        settings = RetrievalSettings(search=SearchSettings(cross_check=CrossCheck(0.02)))
        library = Library(database, Words(), settings=settings)  # type: ignore[arg-type]
        assistant = Assistant(library, world.parrot)  # type: ignore[arg-type]
        audiences, queue, roster = MemoryAudiences(world.slack), world.queue, MemoryRoster()
        team = Team(world.workspace_id, TEAM, "Drawn", "UBOT")
        lending = Lending(database, team, assistant, outbox)
        world.replier = Replier(database, team, assistant, roster, audiences, outbox, lending)  # type: ignore[arg-type]
        world.desk = AskingDesk(database, team, queue, outbox, lending)  # type: ignore[arg-type]
        world.replier.register(queue)  # type: ignore[arg-type]
        lending.register(queue)  # type: ignore[arg-type]
        return world

    workspace_id: int
    replier: Replier
    desk: AskingDesk

    async def _people_come(self) -> None:
        for user_id, kind in zip(PEOPLE, KINDS, strict=True):
            self.company.people[user_id] = Somebody(kind)
        self.company.channels = {c: Channel(kind) for c, kind in CHANNELS.items()}
        self.company.groups = {group_id: Group() for group_id in GROUPS}
        async with self._writing() as connection:
            await define_built_in_roles(connection)
            for role in ROLES:
                await define_role(connection, role)
            await upsert_people(connection, [self._facts(user_id) for user_id in PEOPLE])
            lent = Policy(frozenset({Clause(frozenset({"lent"})), Clause(frozenset({"red"}))}))
            label_id = await intern_label(connection, lent)
            self.labels[label_id] = frozenset(
                {(frozenset({"lent"}), frozenset()), (frozenset({"red"}), frozenset())}
            )
            made = await connection.execute(_COLLECTION, {"label_id": label_id})
            self.collection_id = made.scalar_one()

    def _writing(self) -> Any:
        return self.database.writing_in(self.workspace_id)

    def _facts(self, user_id: str) -> PersonFacts:
        person = self.company.people[user_id]
        return PersonFacts(user_id, user_id.lower(), user_id.title(), PersonKind(person.kind), person.active)

    # What changes rights

    async def grant(self, user_id: str, role: str, lives_s: float | None) -> None:
        until = None if lives_s is None else time.time() + lives_s
        self.company.people[user_id].grants[(role, "hand")] = until
        async with self._writing() as connection:
            person = (await find_people(connection, [user_id]))[user_id]
            ends = None if until is None else datetime.fromtimestamp(until, UTC)
            await grant(connection, person, role, granted_by="UBOSS", expires_at=ends)

    async def revoke(self, user_id: str, role: str) -> None:
        async with self._writing() as connection:
            person = (await find_people(connection, [user_id]))[user_id]
            await revoke(connection, person, role)
        grants = self.company.people[user_id].grants
        for key in [key for key in grants if key[0] == role]:
            del grants[key]

    async def change_person(self, user_id: str, kind: str, active: bool) -> None:
        person = self.company.people[user_id]
        person.kind, person.active = kind, active
        async with self._writing() as connection:
            await upsert_people(connection, [self._facts(user_id)])

    async def inherit(self, role: str, parents: set[str]) -> bool:
        """False where that would be a circle: then nothing changed."""
        try:
            async with self._writing() as connection:
                await define_role(connection, role, inherits=sorted(parents))
        except RoleCycle:
            return False
        self.company.inherits[role] = set(parents)
        return True

    async def map_group(self, group_id: str, role: str, guests_too: bool) -> None:
        group = self.company.groups[group_id]
        group.roles[role] = guests_too
        async with self._writing() as connection:
            kind = SourceKind.USER_GROUP
            source_id = await map_source(
                connection, kind, group_id, group_id, role, mapped_by="UBOSS", guests_too=guests_too
            )
            await source_was_read(connection, source_id, group.members, datetime.now(UTC))

    async def unmap_group(self, group_id: str, role: str) -> None:
        async with self._writing() as connection:
            await unmap_source(connection, SourceKind.USER_GROUP, group_id, role)
        self.company.groups[group_id].roles.pop(role, None)

    async def change_group(self, group_id: str, user_id: str, joins: bool) -> None:
        group = self.company.groups[group_id]
        (group.members.add if joins else group.members.discard)(user_id)
        async with self._writing() as connection:
            if not joins:
                await leave_source(connection, SourceKind.USER_GROUP, group_id, [user_id], datetime.now(UTC))
            elif group.roles:
                role, too = next(iter(group.roles.items()))
                source_id = await map_source(
                    connection,
                    SourceKind.USER_GROUP,
                    group_id,
                    group_id,
                    role,
                    mapped_by="UBOSS",
                    guests_too=too,
                )
                await source_was_read(connection, source_id, group.members, datetime.now(UTC))

    async def join(self, user_id: str, channel_id: str) -> None:
        if not (self.company.people[user_id].kind == "outsider" and channel_id != "CSHARED"):
            self.company.channels[channel_id].members.add(user_id)

    async def leave(self, user_id: str, channel_id: str) -> None:
        self.company.channels[channel_id].members.discard(user_id)

    # Documents

    async def ingest(self, policy: frozenset[PlainClause], collected: bool) -> int:
        number = next(_words)
        secrets = tuple(f"zq{kind}{number}x" for kind in ("text", "title", "head", "file"))
        said = f"The budget of project {number} is {secrets[0]}"
        async with self._writing() as connection:
            label_id = await self._label(connection, policy)
            values: dict[str, Any] = {
                "label_id": label_id,
                "uri": f"{secrets[3]}.md",
                "title": f"Plan {secrets[1]}",
                "collection": self.collection_id if collected else None,
                "said": said,
                "headings": [f"Part {secrets[2]}"],
                "emb": as_pgvector(np.asarray(embed_by_words([said])[0])),
            }
            values["document_id"] = (await connection.execute(_DOCUMENT, values)).scalar_one()
            values["version_id"] = (await connection.execute(_VERSION, values)).scalar_one()
            await connection.execute(_CHUNK, values)
        self.company.documents[values["document_id"]] = Document(policy, secrets)
        self.label_of[values["document_id"]] = label_id
        return int(values["document_id"])

    async def _label(self, connection: Any, policy: frozenset[PlainClause]) -> int:
        label_id = await intern_label(connection, _policy(policy))
        self.labels[label_id] = policy
        return label_id

    async def relabel(self, document_id: int, policy: frozenset[PlainClause]) -> None:
        async with self._writing() as connection:
            label_id = await self._label(connection, policy)
            await relabel_documents(connection, [document_id], label_id)
        self.company.documents[document_id].policy = policy
        self.label_of[document_id] = label_id

    async def change_label(self, document_id: int, policy: frozenset[PlainClause]) -> None:
        """In one place: every document under the same label follows."""
        label_id = self.label_of[document_id]
        if any(_policy(policy) == _policy(other) for key, other in self.labels.items() if key != label_id):
            return
        async with self._writing() as connection:
            await change_label(connection, label_id, _policy(policy))
        self.labels[label_id] = policy
        for other, its_label in self.label_of.items():
            if its_label == label_id and other in self.company.documents:
                self.company.documents[other].policy = policy

    async def delete(self, document_id: int) -> None:
        async with self._writing() as connection:
            await connection.execute(_DELETE, {"id": document_id})
        # It stays in the account, closed to everybody: what was deleted may be told to nobody.
        self.company.documents[document_id].policy = frozenset()
        self.label_of.pop(document_id)

    # What may give something away

    async def ask(self, user_id: str, channel_id: str, thread_ts: str | None, number: int) -> None:
        direct = channel_id.startswith("D-")
        self.asked["direct message" if direct else self.company.channels[channel_id].kind] += 1
        ts = self.slack.stamp()
        question = IncomingQuestion(
            event_id=f"E{ts}",
            channel_id=channel_id,
            channel_type=DIRECT if direct else "channel",
            message_ts=ts,
            thread_ts=thread_ts,
            asker_slack_id=user_id,
            asker_team_id="TELSEWHERE" if self.company.people[user_id].kind == "outsider" else TEAM,
            text=f"What is the budget of project {number}?",
        )
        await self.desk.store(question)

    async def meanwhile(self, move: Callable[[], Awaitable[None]]) -> None:
        """Let something happen while the next answer is being made."""
        self.parrot.meanwhile.append(move)

    async def work(self) -> None:
        """What waited is done now, under the rights of now; and whatever was said that is no answer is of a kind."""
        await self.queue.work_off()
        for who, said in self.slack.told:
            if not any(secret in said for d in self.company.documents.values() for secret in d.secrets):
                assert (
                    said in SENTENCES or "You can read more" in said or "asks: " in said or "holds" in said
                ), (
                    who,
                    said,
                )
        self.slack.told.clear()

    async def click(self, at: int, user_id: str | None) -> None:
        """Somebody presses a button that was shown once: whoever saw it, or somebody who never did."""
        if not self.slack.buttons:
            return
        seen_by, channel_id, action_id, value = self.slack.buttons[at % len(self.slack.buttons)]
        clicker = user_id or seen_by
        self.asked[action_id] += 1
        body = {
            "user": {"id": clicker},
            "actions": [{"value": value, "action_ts": self.slack.stamp()}],
            "channel": {"id": channel_id},
            "container": {"channel_id": channel_id, "message_ts": "1", "thread_ts": None},
        }
        await self._press(action_id, body)
        if action_id == LEND:
            await self._note_loans()

    async def _press(self, action_id: str, body: dict[str, Any]) -> None:
        async def ack() -> None:
            return None

        async def chat_update(**_: object) -> None:
            return None

        client: Any = SimpleNamespace(chat_update=chat_update)
        if action_id == SHARE_ANSWER:
            await self.desk.on_share(ack, body)  # type: ignore[arg-type]
        elif action_id == ASK_AGAIN:
            await self.desk.on_ask_again(ack, body)  # type: ignore[arg-type]
        elif action_id == SHOW_PASSAGES or action_id.startswith((OPEN_SOURCE, SHOW_AROUND)):
            return  # what they open is judged where there are windows: in the scenarios
        elif action_id == ASK_OWNER:
            await self.desk.on_ask_owner(ack, body)  # type: ignore[arg-type]
        elif action_id == LEND:
            await self.desk.on_lend(ack, body, client)  # type: ignore[arg-type]
        else:
            await self.desk.on_decline(ack, body, client)  # type: ignore[arg-type]

    async def _note_loans(self) -> None:
        """A loan is a decision of its owner: the plain account takes over who holds one, and until when."""
        statement = text(
            'SELECT p.slack_user_id, g.role, extract(epoch FROM g.expires_at)::float8 AS until FROM auth."grant" g'
            " JOIN auth.person p ON p.workspace_id = g.workspace_id AND p.id = g.person_id"
            f" WHERE g.workspace_id = {WORKSPACE} AND g.source = 'loan'"
        )
        async with self._writing() as connection:
            for row in await connection.execute(statement):
                self.company.people[row.slack_user_id].grants[(row.role, "loan")] = row.until


SENTENCES = {NOTHING_FOUND, NOTHING_TO_SHARE, RIGHTS_MOVED, NO_LONGER, FORWARDED}


def _policy(clauses: frozenset[PlainClause]) -> Policy:
    return Policy(frozenset(Clause(needed, barred) for needed, barred in clauses))


__all__ = ["LeakError", "World"]
