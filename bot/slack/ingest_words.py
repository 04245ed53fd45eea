"""What is said of documents that were handed in through Slack: how far they are, and what became of them."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from auth.labels import Clause, Policy
from bot.administering.wording import counted
from bot.slack.ingest_requests import IngestionRequest, NewRequest
from retrieval.ingestion import Outcome, Progress

FAILURES_NAMED = 10
_STAGES = {"embedding": "embedding", "storing": "storing"}


@dataclass(frozen=True)
class NotAdded:
    """Something that is not in, by name, and why."""

    name: str
    reason: str
    verb: str = "was not added"

    def in_words(self) -> str:
        return f"{self.name} {self.verb}. {self.reason}"

    def listed(self) -> str:
        """Under a heading that says that it was not added. Most reasons name the file themselves."""
        return self.reason if self.reason.startswith(f"{self.name} ") else f"{self.name}: {self.reason}"


@dataclass
class Tally:
    """How it goes: what there is, what is being read, and what became of the pieces so far."""

    total: int = 0
    begun: int = 0
    name: str = ""
    progress: Progress | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)
    failures: list[NotAdded] = field(default_factory=list)
    readers: str = ""

    def begin(self, name: str) -> None:
        self.begun += 1
        self.name, self.progress = name, None

    def note(self, progress: Progress) -> None:
        self.progress = progress

    def in_words(self) -> str:
        """`Reading 14 of 40: minutes.pdf ... embedding 120 of 300 passages`."""
        if not self.begun:
            return "Fetching what you handed in ..."
        which = f"{self.begun} of {self.total}: {self.name}" if self.total > 1 else self.name
        done = self.progress
        if done is None or done.stage not in _STAGES:
            return f"Reading {which} ..."
        return f"Reading {which} ... {_STAGES[done.stage]} {done.done} of {counted(done.total, 'passage')}"


def describe_all(tally: Tally, readers: str, *, cancelled: bool = False) -> str:
    """What became of all that was handed in together."""
    if tally.total == 1 and not cancelled:
        return describe_one(tally, readers)
    parts = [f"Cancelled: {len(tally.outcomes)} of {tally.total} were done before."] if cancelled else []
    if tally.outcomes or not cancelled:
        parts.append(_summed(tally.outcomes, readers))
    shown = tally.failures[:FAILURES_NAMED]
    more = len(tally.failures) - len(shown)
    if shown:
        lines = [each.listed() for each in shown] + ([f"and {more} more: see `/docs`"] if more > 0 else [])
        parts.append("\n".join([f"{len(tally.failures)} not added:", *(f"• {line}" for line in lines)]))
    return "\n".join([*parts, *tally.alike[:FAILURES_NAMED]])


def describe_one(tally: Tally, readers: str) -> str:
    if tally.failures:
        return tally.failures[0].in_words()
    return " ".join([describe(tally.outcomes[0], readers), *tally.alike])


def _summed(outcomes: list[Outcome], readers: str) -> str:
    for_whom = f"for {describe_readers(readers)}"
    by_status = {
        status: sum(o.status == status for o in outcomes) for status in ("added", "updated", "relabelled")
    }
    known = len(outcomes) - sum(by_status.values())
    words = {"added": "added", "updated": "updated", "relabelled": "given these readers"}
    told = [f"{number} {words[status]}" for status, number in by_status.items() if number]
    told += [f"{known} known already"] if known else []
    passages = counted(sum(outcome.chunks for outcome in outcomes), "new passage")
    return f"{', '.join(told) or 'Nothing was added'} {for_whom}: {passages}."


def describe(outcome: Outcome, readers: str) -> str:
    """One line on what became of a document."""
    for_whom = f"for {describe_readers(readers)}"
    passages = f"{outcome.chunks} passage{'' if outcome.chunks == 1 else 's'}"
    said = {
        "added": f"{outcome.title} was added {for_whom}: {passages} can be found now.",
        "updated": f"{outcome.title} was updated {for_whom}: its new version has {passages}.",
        "relabelled": f"{outcome.title} was known already; it can now be read {for_whom}.",
        "unchanged": f"{outcome.title} is known already, unchanged, {for_whom}.",
    }[outcome.status]
    return said if outcome.answers else f"{said} But it has expired, and does not answer: see `/docs`."


def describe_readers(readers: str) -> str:
    """`finance+leadership,hr` in words: finance and leadership together, or hr."""
    clauses = [clause.replace("+!", " but not ").replace("+", " and ") for clause in readers.split(",")]
    return ", or ".join(clauses)


def readers_policy(roles: list[str], rule: str) -> Policy:
    """What was chosen in the modal: any one of the roles, or all of them."""
    if rule == "all":
        return Policy(frozenset({Clause(frozenset(roles))}))
    return Policy(frozenset(Clause(frozenset({role})) for role in roles))


def has_own_title(request: IngestionRequest | NewRequest) -> bool:
    """Whether what was handed in may name itself: files and pages do, text goes by its first words."""
    return not request.content or bool(request.file_ids)


def called(request: IngestionRequest) -> str:
    """What to call a document of which only the request is known."""
    if request.kind == "url":
        return request.title or title_of_link(request.locator)
    return request.title or {"thread": "The thread", "again": "The document"}.get(request.kind, "The file")


def title_of_link(url: str) -> str:
    """Host and path, and the address as it is where it has none: fetching it will say so."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.netloc.rpartition("@")[2] + parts.path).rstrip("/") or url
