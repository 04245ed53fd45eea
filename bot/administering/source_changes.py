"""Changes of the sources that are kept: added, given other readers, paused, taken up again, removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.labelling import intern_label
from auth.labels import Policy
from bot.administering.administration import COMMAND_LINE
from bot.administering.making import CannotChange, Made, OfReaders
from bot.administering.removal import RemoveDocuments
from bot.administering.wording import counted, listed, often_in_words, span_in_words
from retrieval.cataloguing import collection_called, forget_unused_labels
from retrieval.sources.kept import (
    IN_SLACK,
    Kind,
    NewSource,
    Source,
    add_source,
    documents_only_of,
    forget_source,
    hold_alone,
    pause_source,
    source_with,
)
from retrieval.sources.loaders import refuse_secrets
from retrieval.sources.source_readers import label_source, label_values, on_their_own, relabel_what_came

AT_THE_MACHINE = frozenset({Kind.PATH, Kind.LOADER})
"""Kinds that reach into the machine itself: any file on it, any code on it."""
SHORTEST_INTERVAL = timedelta(minutes=15)


@dataclass(frozen=True)
class AddSource(OfReaders):
    """Keep a source for these readers. With `label_by`, a field of what is read there decides: see `readers_by`.

    Then `policy` is the source's own and opens nothing; what carries another value than those named is closed.
    """

    kind: Kind
    reference: str
    policy: Policy
    arguments: Mapping[str, Any] = field(default_factory=dict)
    readers_by: Mapping[str, Policy] = field(default_factory=dict)
    collection: str | None = None
    department: str = ""
    every: timedelta | None = None

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        self._require_sense(actor)
        label_id = await intern_label(connection, self.policy)
        labels = {value: await intern_label(connection, policy) for value, policy in self.readers_by.items()}
        filed = await collection_called(connection, self.collection) if self.collection is not None else None
        new = NewSource(
            self.kind,
            self.reference,
            label_id,
            self.arguments,
            labels,
            filed.id if filed is not None else None,
            self.department,
            self.every,
            actor,
        )
        source_id = await add_source(connection, new)
        return Made(notes=(f"It is source {source_id}.",))

    def in_words(self) -> str:
        readers = "by what it says itself" if self.readers_by else f"for the readers {self.policy}"
        often = f", read {often_in_words(self.every)}" if self.every else ""
        return f"kept {self.reference} as a source, {readers}{often}"

    def _require_sense(self, actor: str) -> None:
        if self.kind in AT_THE_MACHINE and actor != COMMAND_LINE:
            raise CannotChange(
                "Paths and loaders reach into the machine that Ostiary runs on: whoever runs it keeps them, with"
                " `ostiary sources add`."
            )
        if self.kind in IN_SLACK:
            raise CannotChange(
                "What is said in a channel is for those who are in it: keep it from Slack, with `/ingest`."
            )
        if _names_a_password(self.reference):
            raise CannotChange(
                "An address with a user name or password in it is not kept: write it without them."
            )
        if self.every is not None and self.every < SHORTEST_INTERVAL:
            raise CannotChange(f"A source is read every {span_in_words(SHORTEST_INTERVAL)} at most.")
        if bool(self.arguments.get("label_by")) != bool(self.readers_by):
            raise CannotChange(
                "Name the field that decides the readers, and the readers for each of its values."
            )
        refuse_secrets(self.arguments)


@dataclass(frozen=True)
class KeepChannel(OfReaders):
    """Keep a channel, for readers whom the caller has limited to those who are in it."""

    channel_id: str
    policy: Policy
    collection_id: int | None
    every: timedelta

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        if self.collection_id is not None:
            await collection_called(connection, self.collection_id)
        label_id = await intern_label(connection, self.policy)
        new = NewSource(
            Kind.SLACK_CHANNEL,
            self.channel_id,
            label_id,
            collection_id=self.collection_id,
            every=self.every,
            kept_by=actor,
        )
        return Made(notes=(f"It is source {await add_source(connection, new)}.",))

    def in_words(self) -> str:
        often = often_in_words(self.every)
        return f"kept the channel {self.channel_id} as a source, for the readers {self.policy}, read {often}"


def _names_a_password(reference: str) -> bool:
    return "://" in reference and "@" in urlsplit(reference).netloc


@dataclass(frozen=True)
class RelabelSource(OfReaders):
    """Give a source other readers: what came from it follows, but for what somebody gave readers of its own.

    A source that goes by a field gets them for the values in `readers_by`; those not named keep theirs.
    """

    source_id: int
    policy: Policy | None = None
    readers_by: Mapping[str, Policy] = field(default_factory=dict)
    label_by: str | None = None
    """The field that the values were said to be of."""

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await hold_alone(connection, self.source_id)
        source = await source_with(connection, self.source_id)
        self._require_sense(source)
        if self.policy is not None:
            label_id = await intern_label(connection, self.policy)
            await label_source(connection, source.id, label_id)
            labels, follow = {label_id: self.policy}, {source.label_id: label_id}
        else:
            by_value = {value: await intern_label(connection, p) for value, p in self.readers_by.items()}
            follow = _follow(source, by_value)
            await label_values(connection, source.id, by_value)
            labels = {by_value[value]: policy for value, policy in self.readers_by.items()}
        follow = {was: becomes for was, becomes in follow.items() if was != becomes}
        moves = await relabel_what_came(connection, source.id, follow)
        return Made(moves, labels, notes=_notes(source, self, await on_their_own(connection, source.id)))

    def in_words(self) -> str:
        readers = self.policy or listed(
            [f"{policy} (of {value})" for value, policy in self.readers_by.items()]
        )
        return f"gave source {self.source_id} and what came from it the readers {readers}"

    def _require_sense(self, source: Source) -> None:
        if source.kind in IN_SLACK:
            raise CannotChange(
                "What is said in a channel is for those who are in it. For other readers of single documents:"
                " `ostiary docs relabel`."
            )
        if source.label_by is None and (self.policy is None or self.readers_by):
            raise CannotChange(
                f"All that source {source.id} brings has the same readers: give them with --readers POLICY."
            )
        if source.label_by is not None and (
            self.policy is not None or not self.readers_by or self.label_by != source.label_by
        ):
            raise CannotChange(
                f"The field {source.label_by} decides who may read what comes from source {source.id}: give readers"
                f" by its values, --label-by {source.label_by}=VALUE:POLICY."
            )


def _follow(source: Source, by_value: Mapping[str, int]) -> dict[int, int]:
    """Label that values had -> the one that they get. Which documents carry which value nobody wrote down."""
    becomes = {**source.labels, **by_value}
    for value in by_value.keys() & source.labels.keys():
        alike = sorted(other for other, label_id in source.labels.items() if label_id == source.labels[value])
        if len({becomes[other] for other in alike}) > 1:
            raise CannotChange(
                f"What says {listed(alike)} has had the same readers, and cannot be told apart any more. Give all"
                " of them new ones, or remove the source with its documents and keep it anew."
            )
    return {source.labels[value]: becomes[value] for value in by_value.keys() & source.labels.keys()}


def _notes(source: Source, change: RelabelSource, on_their_own: int) -> tuple[str, ...]:
    new = sorted(change.readers_by.keys() - source.labels.keys())
    read = f"What says {listed(new)} comes in when it is read next: `ostiary sources refresh {source.id}`."
    kept = (
        f"Left as it is, with readers of its own: {counted(on_their_own, 'document')} in it."
        " For that: `ostiary docs relabel`."
    )
    return (*((read,) if new else ()), *((kept,) if on_their_own else ()))


@dataclass(frozen=True)
class PauseSource(OfReaders):
    """Leave a source alone until it is taken up again. What came from it goes on answering."""

    source_id: int

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await source_with(connection, self.source_id)
        await pause_source(connection, self.source_id, paused=True)
        return Made()

    def in_words(self) -> str:
        return f"paused source {self.source_id}"


@dataclass(frozen=True)
class ResumeSource(OfReaders):
    """Take a paused source up again: it is due at once."""

    source_id: int

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await source_with(connection, self.source_id)
        await pause_source(connection, self.source_id, paused=False)
        return Made()

    def in_words(self) -> str:
        return f"took source {self.source_id} up again"


@dataclass(frozen=True)
class RemoveSource(OfReaders):
    """Keep a source no longer; with its documents, or without.

    Those that another source has as well stay in any case. With the documents it cannot be undone.
    """

    source_id: int
    with_documents: bool

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        source = await source_with(connection, self.source_id)
        await hold_alone(connection, source.id)
        only_here = await documents_only_of(connection, source.id)
        await forget_source(connection, source.id)
        if not self.with_documents:
            await forget_unused_labels(connection, [source.label_id, *source.labels.values()])
            stay = f"{counted(len(only_here), 'document')} that came from it stay and are not read anew."
            return Made(notes=(stay,) if only_here else ())
        made = await RemoveDocuments(only_here).make(connection, actor)
        await forget_unused_labels(connection, [source.label_id, *source.labels.values()])
        return made if only_here else Made(notes=("No document came from it.",))

    def in_words(self) -> str:
        documents = "with its documents, for good" if self.with_documents else "and left its documents"
        return f"removed source {self.source_id}, {documents}"
