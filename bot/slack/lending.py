"""Asking the owner of a collection: a question is passed on, and its asker may be lent a role for a while.

Whoever asks learns nothing by it: the offer, and what is said when it is taken up, are the same whether any
collection holds an answer or not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database
from auth.directory import find_people, list_people
from auth.granting import brings_admin, grant
from auth.holding import roles_of
from auth.people import Person
from auth.rights import Rights, read_standing, rights_of
from auth.roles import ADMIN, EVERYONE, closure
from bot.administering.wording import span_in_words
from bot.assistant import Assistant
from bot.queue import JobQueue
from bot.slack.delivery import Outbox
from bot.slack.questions import find_question
from bot.slack.team import Team
from bot.slack.views import escape, loan_blocks, plain_blocks

LENDING_JOB = "pass_on"
LOAN = "loan"
FORWARDED = "I have passed your question on. Whoever can help will get in touch with you."
LENT = "You can read more now, for {span}. Ask me again: {question}"
MOST_OWNERS = 20
OPEN_DAYS = 7

_LENDING = text(
    "SELECT id, name, owner_role, lent_role, lent_for_s FROM retrieval.collection"
    f" WHERE workspace_id = {WORKSPACE} AND owner_role IS NOT NULL AND lent_role IS NOT NULL ORDER BY id"
)
_HOLDS = text(
    "SELECT EXISTS (SELECT FROM retrieval.document"
    f" WHERE workspace_id = {WORKSPACE} AND collection_id = :collection_id AND id = ANY(:documents))"
)
_ASK = text(
    "INSERT INTO bot.loan_request (workspace_id, question_id, collection_id, lent_role, lent_for_s)"
    f" VALUES ({WORKSPACE}, :question_id, :collection_id, :lent_role, :lent_for_s)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT l.id, l.question_id, l.state, l.lent_role, l.lent_for_s, c.name, c.owner_role,"
    "  l.created_at <= now() - make_interval(days => :open_days) AS is_old,"
    "  (l.lent_role, l.lent_for_s) IS DISTINCT FROM (c.lent_role, c.lent_for_s) AS terms_changed"
    " FROM bot.loan_request l"
    " JOIN retrieval.collection c ON c.workspace_id = l.workspace_id AND c.id = l.collection_id"
    f" WHERE l.workspace_id = {WORKSPACE} AND l.id = :id FOR UPDATE OF l"
)
_DECIDE = text(
    "UPDATE bot.loan_request SET state = :state, decided_by = :decided_by"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)


@dataclass(frozen=True)
class LendingCollection:
    """A collection whose owners may lend a role that opens it."""

    id: int
    name: str
    owner_role: str
    lent_role: str
    lent_for: timedelta


class Lending:
    """Passes questions on to the owners of collections, and carries out what they decide."""

    def __init__(self, database: Database, team: Team, assistant: Assistant, outbox: Outbox) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id
        self._assistant = assistant
        self._outbox = outbox

    def register(self, queue: JobQueue) -> None:
        queue.on(LENDING_JOB, self.pass_on, given_up=self.give_up)

    async def is_offered(self) -> bool:
        """Whether any collection here lends: said alike to everybody, whatever they ask."""
        async with self._database.writing_in(self._workspace_id) as connection:
            return bool(await _lending(connection))

    async def give_up(self, question_id: int) -> None:
        """Its asker was told all that they will be told."""

    async def pass_on(self, question_id: int) -> None:
        """Ask the owners of each collection that holds an answer which the asker may not read."""
        async with self._database.writing_in(self._workspace_id) as connection:
            question = await find_question(connection, question_id)
            collections = await _lending(connection)
        if question is None or question.asker_team_id not in {None, self._team_id}:
            return
        rights = await rights_of(self._database, self._workspace_id, question.asker_slack_id)
        if rights is None or not rights.roles:
            return
        for collection in collections:
            if await self._holds_an_answer(collection, question.text, rights):
                await self._ask_owners(collection, question_id, rights.person, question.text)

    async def _holds_an_answer(self, collection: LendingCollection, question: str, asker: Rights) -> bool:
        """Whether the role that it lends, added to what the asker holds, opens an answer in it."""
        async with self._database.deciding_in(self._workspace_id) as connection:
            standing = await read_standing(self._database, connection, self._workspace_id)
        with_the_loan = closure({*asker.roles, collection.lent_role}, standing.inheritance, barred=EVERYONE)
        roles = with_the_loan | ({EVERYONE} & asker.roles)
        reply = await self._assistant.answer(question, standing.clearance(roles))
        closed = [p.document_id for p in reply.answer.cited if not asker.clearance.covers([p.label_id])]
        async with self._database.writing_in(self._workspace_id) as connection:
            values = {"collection_id": collection.id, "documents": closed}
            return reply.found and bool((await connection.execute(_HOLDS, values)).scalar())

    async def _ask_owners(
        self, collection: LendingCollection, question_id: int, asker: Person, question: str
    ) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            terms = {
                "lent_role": collection.lent_role,
                "lent_for_s": int(collection.lent_for.total_seconds()),
            }
            values = {"question_id": question_id, "collection_id": collection.id}
            loan_id = (await connection.execute(_ASK, {**values, **terms})).scalar()
        if loan_id is None:
            return
        span = span_in_words(collection.lent_for)
        said = (
            f"{asker.name} asks: {question}\nAn answer may stand in {collection.name}, which they cannot read. Lend"
            f" them the role {collection.lent_role} for {span}? They are told nothing if you decline."
        )
        for owner in (await self._owners(collection.owner_role, but=asker))[:MOST_OWNERS]:
            await self._outbox.tell_in_person(owner.slack_user_id, escape(said), loan_blocks(said, loan_id))

    async def _owners(self, role: str, but: Person) -> list[Person]:
        async with self._database.deciding_in(self._workspace_id) as connection:
            standing = await read_standing(self._database, connection, self._workspace_id)
            people = await list_people(connection)
            held = await roles_of(connection, people, standing, datetime.now(UTC))
        return [person for person in people if role in held[person.id] and person.id != but.id]

    async def decide(self, loan_id: int, owner_slack_id: str, *, lend: bool) -> str | None:
        """Lend or decline, for somebody who holds the owning role now. A sentence for them; None for others."""
        async with self._database.writing_in(self._workspace_id, owner_slack_id) as connection:
            # The request is held before rights are read: what changed while waiting for it counts.
            row = (await connection.execute(_READ, {"id": loan_id, "open_days": OPEN_DAYS})).first()
            rights = await rights_of(self._database, self._workspace_id, owner_slack_id)
            if row is None or rights is None or row.owner_role is None or row.owner_role not in rights.roles:
                return None
            question = await find_question(connection, row.question_id)
            assert question is not None
            if question.asker_slack_id == owner_slack_id:
                return None
            if row.state != "waiting":
                return f"This was {row.state} already."
            refused = await self._why_not(row, question.asker_slack_id) if lend else None
            if refused:
                return refused
            state = "approved" if lend else "declined"
            await connection.execute(_DECIDE, {"id": loan_id, "state": state, "decided_by": owner_slack_id})
            if not lend:
                return "Declined. Nobody was told."
            asker = (await find_people(connection, [question.asker_slack_id]))[question.asker_slack_id]
            await grant(
                connection,
                asker,
                row.lent_role,
                granted_by=owner_slack_id,
                reason=f"asked about {row.name}",
                expires_at=datetime.now(UTC) + timedelta(seconds=row.lent_for_s),
                source=LOAN,
            )
        span = span_in_words(timedelta(seconds=row.lent_for_s))
        told = LENT.format(span=span, question=question.text)
        await self._outbox.tell_in_person(asker.slack_user_id, escape(told), plain_blocks(told))
        return f"{asker.name} holds {row.lent_role} for {span}."

    async def _why_not(self, request: Row[Any], asker_slack_id: str) -> str | None:
        """What stands against a loan as it is now: a sentence for its owner."""
        if request.is_old:
            return "This question is too old to be decided on. Whoever asked can ask again."
        if request.terms_changed:
            return f"What {request.name} lends has changed since. Whoever asked can ask again."
        asker = await rights_of(self._database, self._workspace_id, asker_slack_id)
        if asker is None or not asker.roles:
            return "Whoever asked is no longer here. Nothing was lent."
        async with self._database.deciding_in(self._workspace_id) as connection:
            administers = await brings_admin(connection, [request.lent_role])
        if administers:
            return f"{request.lent_role} brings {ADMIN} by now, which is never lent. Tell an administrator."
        return None


async def _lending(connection: AsyncConnection) -> list[LendingCollection]:
    return [
        LendingCollection(r.id, r.name, r.owner_role, r.lent_role, timedelta(seconds=r.lent_for_s))
        for r in await connection.execute(_LENDING)
    ]
