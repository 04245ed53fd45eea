"""Kept sources as administrators see them: how each stands, and what it is called to whoever may read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance, Labels
from auth.labels import NOBODY, Policy
from auth.sources import SourceKind, list_sources
from bot.administering.telling import is_told
from bot.administering.wording import often_in_words, policy_in_words
from retrieval.sources.kept import IN_SLACK, Counts, Kind, Source


@dataclass(frozen=True)
class SourceEntry:
    """A source that is kept. What it is called and why it failed is None for whoever may not read what is in it.

    `by_field`: what in it decides its readers, instead of `policy`; `every` None: it is read when somebody asks.
    """

    id: int
    kind: Kind
    name: str | None
    reference: str | None
    policy: Policy
    by_field: str | None
    by_value: Mapping[str, Policy]
    collection: str | None
    department: str
    every: timedelta | None
    paused: bool
    kept_by: str
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    next_at: datetime | None
    error: str | None
    went_wrong: bool
    documents: int
    counts: Counts

    @property
    def readers(self) -> str:
        """`finance, or hr`; `by the field department: hr, sales` where a field decides."""
        if self.by_field is not None:
            return f"by the field {self.by_field}: {', '.join(sorted(self.by_value))}"
        return policy_in_words(self.policy)

    @property
    def often(self) -> str:
        """`every 12 hours`, `paused (every 12 hours)`, `when asked to`."""
        often = often_in_words(self.every) if self.every else "when asked to"
        return f"paused ({often})" if self.paused else often

    @property
    def is_being_read(self) -> bool:
        return self.began_at is not None and self.ended_at is None

    @property
    def counted(self) -> str:
        """`3 added, 12 unchanged, 1 failed`: how the last run went."""
        counts = [f"{number:,} {what}" for what, number in vars(self.counts).items() if number]
        return ", ".join(counts) or ("" if self.went_wrong else "nothing in it")


def source_told(
    source: Source, labels: Labels, channels: Mapping[str, str], viewer: Clearance | None
) -> SourceEntry:
    """A source as whoever reads under `viewer` may see it; None: the machine itself. `channels`: id -> name."""
    under = [*source.labels.values()] or [source.label_id]
    told = is_told(viewer, under)
    return SourceEntry(
        id=source.id,
        kind=source.kind,
        name=_name(source, channels) if told else None,
        reference=source.reference if told else None,
        policy=labels.get(source.label_id, NOBODY),
        by_field=source.label_by,
        by_value={value: labels.get(label_id, NOBODY) for value, label_id in source.labels.items()},
        collection=source.collection,
        department=source.department,
        every=source.every,
        paused=source.paused,
        kept_by=source.kept_by,
        created_at=source.created_at,
        began_at=source.began_at,
        ended_at=source.ended_at,
        next_at=source.next_at,
        error=source.error if told else None,
        went_wrong=source.error is not None,
        documents=source.documents,
        counts=source.counts,
    )


def _name(source: Source, channels: Mapping[str, str]) -> str:
    """`#general`; a private channel goes by its id: what it is called only Slack knows."""
    channel = channels.get(source.reference) if source.kind in IN_SLACK else None
    return f"#{channel}" if channel else source.reference


async def names_of_channels(connection: AsyncConnection) -> dict[str, str]:
    """Channel id -> name, of those that give roles: a channel that is kept gives one to who is in it."""
    return {s.reference: s.name for s in await list_sources(connection) if s.kind is SourceKind.CHANNEL}
