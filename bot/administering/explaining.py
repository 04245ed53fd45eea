"""Why somebody can, or cannot, read a document: clause by clause, and by which ways what they hold is held."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Standing
from auth.labels import Clause, Policy
from auth.people import Person, PersonKind
from bot.administering.ways import Ways, ways_of
from bot.administering.wording import clause_in_words, listed, policy_in_words
from retrieval.cataloguing import document_with


@dataclass(frozen=True)
class ClauseVerdict:
    """One way of being among the readers: what of it is missing, and what that must not be held is held."""

    clause: Clause
    missing: tuple[str, ...]
    excluded_by: tuple[str, ...]

    @property
    def satisfied(self) -> bool:
        return bool(self.clause.all_of) and not self.missing and not self.excluded_by


@dataclass(frozen=True)
class Explanation:
    """Whether somebody may read a document, and why."""

    person: Person
    document_id: int
    policy: Policy
    may_read: bool
    clauses: tuple[ClauseVerdict, ...]
    ways: Ways

    @property
    def sentences(self) -> tuple[str, ...]:
        can = "can" if self.may_read else "cannot"
        first = f"@{self.person.handle} {can} read document {self.document_id}: it is for"
        said = [f"{first} {policy_in_words(self.policy)}."]
        if not self.ways:
            return (*said, _holds_nothing(self.person))
        for verdict in self.clauses:
            said += self._about(verdict)
        return tuple(said)

    def in_words(self) -> str:
        return " ".join(self.sentences)

    def _about(self, verdict: ClauseVerdict) -> list[str]:
        if verdict.satisfied:
            return [self._held(role) for role in sorted(verdict.clause.all_of)]
        if self.may_read:
            return []
        reasons = [f"@{self.person.handle} does not hold {listed(list(verdict.missing))}"] * bool(
            verdict.missing
        )
        barred = [f"holds {role} {listed(list(self.ways[role]))}" for role in verdict.excluded_by]
        if barred:
            reasons.append(f"{listed(barred)}, which must not be held")
        who = "" if verdict.missing else f"@{self.person.handle} "
        return [f"As {clause_in_words(verdict.clause)}: no, since {who}{' and '.join(reasons)}."]

    def _held(self, role: str) -> str:
        return f"@{self.person.handle} holds {role} {listed(list(self.ways[role]))}."


def _holds_nothing(person: Person) -> str:
    if not person.active:
        return f"@{person.handle} is deactivated in Slack, and holds no role."
    if person.kind is PersonKind.BOT:
        return f"@{person.handle} is a bot, and holds no role."
    return f"@{person.handle} is of another company, and holds no role."


async def explain_reading(
    connection: AsyncConnection, standing: Standing, person: Person, document_id: int
) -> Explanation:
    """Raises UnknownDocument."""
    document = await document_with(connection, document_id)
    policy = standing.index.labels[document.label_id]
    ways = (await ways_of(connection, [person]))[person.id]
    roles = frozenset(ways)
    verdicts = tuple(
        ClauseVerdict(clause, tuple(sorted(clause.all_of - roles)), tuple(sorted(clause.none_of & roles)))
        for clause in sorted(policy.clauses, key=str)
    )
    return Explanation(person, document_id, policy, policy.admits(roles), verdicts, ways)
