"""Questions that found nothing, or a bad answer, put together by what they ask, for those who own documents.

A question belongs to those who were there when it was asked. Whoever looks is shown what they see in Slack as well:
the questions of channels that they are in, and their own. All others neither show nor count, nor change what shows.
And a question found nothing if everybody in its place was told nothing: whether its asker was told something alone,
and what they thought of it, is nobody else's to know.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from auth.database import WORKSPACE, Database
from auth.errors import OstiaryError
from auth.people import PersonKind
from auth.rights import Audience, Rights, rights_of
from bot.grouping import grouped

ALIKE = 0.5
"""The cosine from which questions ask the same (`python -m tests.benchmarks.gaps`)."""
MOST, DAYS = 300, 90
OWNERS_ONLY = (
    "Only people who own documents or a collection, and those who hold the role ostiary-admin, see this."
)
MARKED, REOPENED = "gap.marked", "gap.reopened"

_SEEN = f"q.workspace_id = {WORKSPACE} AND (q.channel_type <> 'im' OR q.asker_slack_id = :viewer)"
_ASKED = (
    "SELECT q.id, q.text, q.channel_id, q.channel_type, q.asker_slack_id, q.received_at, (SELECT count(*)"
    "   FROM bot.feedback f JOIN bot.answer a ON a.workspace_id = f.workspace_id AND a.id = f.answer_id"
    "   WHERE f.workspace_id = q.workspace_id AND f.question_id = q.id AND f.verdict = 'bad'"
    # What its asker was told alone, and thinks of it, is nobody else's to know.
    "    AND a.part = 'channel' AND NOT a.taken_back) AS disliked"
    " FROM bot.question q"
)
_OPEN = text(
    f"SELECT q.* FROM ({_ASKED} WHERE {_SEEN} AND q.purpose = 'question' AND q.state = 'answered' AND q.text <> ''"
    f"  AND q.stopped_at IS NULL AND q.received_at > now() - interval '{DAYS} days'"
    "  AND NOT EXISTS (SELECT FROM bot.gap_mark m WHERE m.workspace_id = q.workspace_id AND m.question_id = q.id)"
    # It was asked again for everybody, and told.
    "  AND NOT EXISTS (SELECT FROM bot.question s JOIN bot.answer a"
    "    ON a.workspace_id = s.workspace_id AND a.question_id = s.id AND a.part = 'channel'"
    "   WHERE s.workspace_id = q.workspace_id AND s.purpose = 'share' AND s.channel_id = q.channel_id"
    "    AND s.text = q.text)"
    ") AS q WHERE q.disliked > 0 OR NOT EXISTS (SELECT FROM bot.answer a"
    f"  WHERE a.workspace_id = {WORKSPACE} AND a.question_id = q.id AND a.part = 'channel')"
    " ORDER BY q.id DESC LIMIT :most"
)
_MARKED = text(
    f"{_ASKED} JOIN bot.gap_mark m ON m.workspace_id = q.workspace_id AND m.question_id = q.id"
    f" WHERE {_SEEN} AND m.marked_with = :marked_with ORDER BY q.id"
)
_MARK = text(
    "INSERT INTO bot.gap_mark (workspace_id, question_id, mark, marked_with, marked_by)"
    f" SELECT {WORKSPACE}, unnest(CAST(:ids AS bigint[])), :mark, :marked_with, :marked_by"
    " ON CONFLICT DO NOTHING"
)
_REOPEN = text(f"DELETE FROM bot.gap_mark WHERE workspace_id = {WORKSPACE} AND question_id = ANY(:ids)")
_OWNS = text(
    "SELECT EXISTS (SELECT FROM retrieval.collection"
    f"  WHERE workspace_id = {WORKSPACE} AND owner_role = ANY(:roles))"
    " OR EXISTS (SELECT FROM retrieval.document"
    f"  WHERE workspace_id = {WORKSPACE} AND (owner_id = :person_id OR owner_role = ANY(:roles)))"
)

Embed = Callable[[Sequence[str]], "np.ndarray"]
WhoIsIn = Callable[[str], Awaitable[Audience]]
"""Who is in a channel, by its id; incomplete where that is not known."""


class NoGap(OstiaryError):
    """Nothing that whoever asks may see, or may do; the message says so."""


class Mark(StrEnum):
    """What became of a gap."""

    ANSWERED = "answered"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Asked:
    """A question that found nothing, or whose answer `disliked` people found bad."""

    id: int
    text: str
    channel_id: str
    channel_type: str
    asker_slack_id: str
    received_at: datetime
    disliked: int = 0

    @property
    def is_direct(self) -> bool:
        return self.channel_type == "im"


@dataclass(frozen=True)
class Gap:
    """Questions that ask much the same, the most central first; its number is that one's."""

    questions: tuple[Asked, ...]

    @property
    def id(self) -> int:
        return self.questions[0].id

    @property
    def text(self) -> str:
        return self.questions[0].text

    @property
    def people(self) -> int:
        return len({question.asker_slack_id for question in self.questions})

    @property
    def disliked(self) -> int:
        """How often an answer to it was found bad."""
        return sum(question.disliked for question in self.questions)

    @property
    def last_asked(self) -> datetime:
        return max(question.received_at for question in self.questions)

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """Where it was asked, direct messages left out."""
        return tuple(dict.fromkeys(q.channel_id for q in self.questions if not q.is_direct))

    @property
    def other_words(self) -> tuple[str, ...]:
        """How it was asked besides."""
        said = dict.fromkeys(question.text for question in self.questions)
        return tuple(words for words in said if words.casefold() != self.text.casefold())


class Gaps:
    """Shows what found nothing, and takes note of what became of it. Whoever comes is looked at each time."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        embed: Embed,
        who_is_in: WhoIsIn,
        is_question: Callable[[str], bool] = bool,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._embed = embed
        self._who_is_in = who_is_in
        self._is_question = is_question
        self._vectors: dict[str, np.ndarray] = {}

    async def open_to(self, user_id: str) -> list[Gap]:
        """What found nothing of late, as far as this person sees it: what most people asked first. Raises NoGap."""
        rights = await self._let_in(user_id)
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = await connection.execute(_OPEN, {"viewer": user_id, "most": MOST})
            asked = [Asked(**row._mapping) for row in rows]
        seen = await self._seen(asked, rights)
        return await self._together([question for question in seen if self._is_question(question.text)])

    async def mark(self, user_id: str, gap_id: int, mark: Mark) -> Gap:
        """Take note of what became of a gap, all questions of it that this person sees. Raises NoGap."""
        gap = next((gap for gap in await self.open_to(user_id) if gap.id == gap_id), None)
        if gap is None:
            raise NoGap(f"There is no open gap {gap_id}. `/gaps` shows those that there are.")
        ids = [question.id for question in gap.questions]
        values = {"ids": ids, "mark": mark.value, "marked_with": gap.id, "marked_by": user_id}
        async with self._database.writing_in(self._workspace_id, user_id) as connection:
            await connection.execute(_MARK, values)
            await record(connection, MARKED, {"gap": gap.id, "mark": mark.value, "questions": ids})
        return gap

    async def reopen(self, user_id: str, gap_id: int) -> int:
        """Show again what was marked together, as far as this person sees it; how many questions. Raises NoGap."""
        rights = await self._let_in(user_id)
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = await connection.execute(_MARKED, {"viewer": user_id, "marked_with": gap_id})
            asked = [Asked(**row._mapping) for row in rows]
        ids = [question.id for question in await self._seen(asked, rights)]
        if gap_id not in ids:
            raise NoGap(f"There is no gap {gap_id} that was marked.")
        async with self._database.writing_in(self._workspace_id, user_id) as connection:
            await connection.execute(_REOPEN, {"ids": ids})
            await record(connection, REOPENED, {"gap": gap_id, "questions": ids})
        return len(ids)

    async def _let_in(self, user_id: str) -> Rights:
        rights = await rights_of(self._database, self._workspace_id, user_id)
        if rights is None or not rights.roles:
            raise NoGap(OWNERS_ONLY)
        async with self._database.writing_in(self._workspace_id) as connection:
            if not rights.is_admin and not await _owns(connection, rights):
                raise NoGap(OWNERS_ONLY)
        return rights

    async def _seen(self, asked: Collection[Asked], rights: Rights) -> list[Asked]:
        """Those that stand where this person reads, as Slack says now; and their own."""
        viewer = rights.person.slack_user_id
        others = {q.channel_id for q in asked if q.asker_slack_id != viewer and not q.is_direct}
        reads = {
            channel_id: _reads(rights, await self._who_is_in(channel_id)) for channel_id in sorted(others)
        }
        return [q for q in asked if q.asker_slack_id == viewer or (not q.is_direct and reads[q.channel_id])]

    async def _together(self, asked: Sequence[Asked]) -> list[Gap]:
        """By what they ask, in the order in which they came: what is new joins what was there."""
        in_order = sorted(asked, key=lambda question: question.id)
        vectors = await self._vectors_of([question.text for question in in_order])
        groups = grouped([vectors[question.text] for question in in_order], ALIKE)
        gaps = [Gap(tuple(in_order[row] for row in group)) for group in groups]
        return sorted(gaps, key=lambda gap: (-gap.people, -len(gap.questions), -gap.last_asked.timestamp()))

    async def _vectors_of(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Kept in memory as long as they are needed, and nowhere else."""
        new = [words for words in dict.fromkeys(texts) if words not in self._vectors]
        made = await asyncio.to_thread(self._embed, new) if new else ()
        known = {**self._vectors, **dict(zip(new, made, strict=True))}
        self._vectors = {words: known[words] for words in texts}
        return known


def _reads(rights: Rights, audience: Audience) -> bool:
    """Whether somebody reads what is said to this audience. Where people are there who are not known: nobody."""
    of_us = rights.person.active and rights.person.kind is PersonKind.MEMBER
    return audience.complete and (
        rights.person.slack_user_id in audience.slack_user_ids or (audience.every_member and of_us)
    )


async def _owns(connection: AsyncConnection, rights: Rights) -> bool:
    values = {"roles": sorted(rights.roles), "person_id": rights.person.id}
    return bool((await connection.execute(_OWNS, values)).scalar())
