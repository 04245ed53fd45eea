"""Documents indexed anew: from what is stored, each at once or not at all, and only those that need it."""

import copy
from collections.abc import AsyncIterator

import numpy as np
import psycopg
import pytest
import torch

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.granting import define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import RelabelDocuments
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.reindexing import Reindexer
from retrieval.search import search

FORGET = (
    "UPDATE retrieval.version SET encoder = NULL",
    "UPDATE retrieval.chunk SET token_codes = NULL",
    "UPDATE retrieval.chunk_vec SET emb = (SELECT array_agg(CASE n WHEN 1 THEN 1 ELSE 0 END)::vector"
    " FROM generate_series(1, 384) n)",
)
STORED = (
    "SELECT c.id, c.text, c.token_codes, e.emb::text, e.label_id, v.id, v.encoder FROM retrieval.chunk c"
    " JOIN retrieval.chunk_vec e ON e.chunk_id = c.id JOIN retrieval.version v ON v.id = c.version_id ORDER BY c.id"
)
Rows = list[tuple[object, ...]]


class Shelf:
    """Two documents, one for everybody and one for hr, indexed by an embedder that nobody knows any more."""

    def __init__(
        self, database: Database, workspace_id: int, embeddings: LocalEmbeddings, admin: str
    ) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.embeddings = embeddings
        self.reindexer = Reindexer(database, embeddings)
        self.admin = admin
        self.ingestor: Ingestor
        self.ids: list[int] = []
        self.made: Rows = []

    async def fill(self) -> None:
        async with self.database.writing_in(self.workspace_id) as connection:
            await define_role(connection, "hr")
            labels = [await intern_label(connection, parse_policy(p)) for p in ("everyone", "hr")]
        texts = (
            b"# Parking\n\nGuests park on deck three.",
            b"# Bands\n\nJuniors earn fifty thousand a year.",
        )
        for number, (label_id, said) in enumerate(zip(labels, texts, strict=True)):
            submission = Submission(f"file:///{number}.md", f"{number}.md", said, label_id)
            self.ids.append((await self.ingestor.ingest(self.workspace_id, submission)).document_id)
        self.made = self.rows()
        with psycopg.connect(self.admin) as connection:
            for statement in FORGET:
                connection.execute(statement)  # type: ignore[call-overload]

    def rows(self) -> Rows:
        with psycopg.connect(self.admin) as connection:
            return connection.execute(STORED).fetchall()

    async def run(self, **named: bool) -> list[int]:
        found = await self.reindexer.outdated(self.workspace_id, **named)
        return [await self.reindexer.reindex(self.workspace_id, document_id) for document_id in found]


@pytest.fixture
async def shelf(
    database: Database, workspace_id: int, embeddings: LocalEmbeddings, urls: DatabaseUrls
) -> AsyncIterator[Shelf]:
    async with ParserProcess() as parser:
        shelf = Shelf(database, workspace_id, embeddings, urls.admin)
        shelf.ingestor = Ingestor(database, embeddings, parser)
        await shelf.fill()
        yield shelf


def vectors(rows: Rows) -> list[np.ndarray]:
    return [np.array(str(row[3]).strip("[]").split(","), dtype=np.float32) for row in rows]


async def test_what_another_embedder_made_is_made_as_this_one_would(shelf: Shelf) -> None:
    assert shelf.rows() != shelf.made
    assert await shelf.run() == [1, 1]
    anew = shelf.rows()
    assert [(*row[:2], *row[4:]) for row in anew] == [(*row[:2], *row[4:]) for row in shelf.made]
    for one, other in zip(vectors(anew), vectors(shelf.made), strict=True):
        assert one @ other > 0.999
    assert all(row[2] for row in anew)
    assert await shelf.run() == []


def test_an_embedder_is_known_by_its_weights(embeddings: LocalEmbeddings) -> None:
    model = copy.deepcopy(embeddings._model).to(torch.bfloat16)
    less_precise = LocalEmbeddings(embeddings.tokenizer, model, embeddings.device)
    assert less_precise.fingerprint == embeddings.fingerprint
    with torch.no_grad():
        next(model.parameters()).mul_(1.5)
    trained = LocalEmbeddings(embeddings.tokenizer, model, embeddings.device)
    assert trained.fingerprint != embeddings.fingerprint


async def test_what_was_stored_now_needs_nothing(shelf: Shelf) -> None:
    with psycopg.connect(shelf.admin) as connection:
        connection.execute("UPDATE retrieval.version SET encoder = %s", [shelf.embeddings.fingerprint])
    assert await shelf.reindexer.outdated(shelf.workspace_id) == []
    assert await shelf.reindexer.outdated(shelf.workspace_id, every=True) == shelf.ids


async def test_a_run_that_was_stopped_is_gone_on_with(shelf: Shelf) -> None:
    await shelf.reindexer.reindex(shelf.workspace_id, shelf.ids[0])
    assert await shelf.reindexer.outdated(shelf.workspace_id) == shelf.ids[1:]


async def test_what_fails_half_way_is_found_as_before(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shelf.rows()
    monkeypatch.setattr("retrieval.reindexing._MADE_BY", None)
    with pytest.raises(Exception, match="Not an executable object"):
        await shelf.reindexer.reindex(shelf.workspace_id, shelf.ids[0])
    assert shelf.rows() == before


async def test_what_is_relabelled_while_it_is_encoded_keeps_its_new_readers(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = shelf.reindexer._encoding.encode

    async def relabelled_meanwhile(*given: object) -> object:
        change = RelabelDocuments((shelf.ids[0],), parse_policy("hr"))
        await Administration(shelf.database, shelf.workspace_id).carry_out(change, COMMAND_LINE)
        return await encode(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(shelf.reindexer._encoding, "encode", relabelled_meanwhile)
    assert await shelf.reindexer.reindex(shelf.workspace_id, shelf.ids[0]) == 1
    assert {row[4] for row in shelf.rows()} == {shelf.made[1][4]}
    everyone = Clearance(shelf.workspace_id, frozenset({int(str(shelf.made[0][4]))}), 1)
    question = "Where do guests park?"
    vector = shelf.embeddings.encode([question])[0]
    assert list(await search(shelf.database, everyone, question, vector)) == []


async def test_what_is_closed_to_everybody_is_left_until_it_is_opened(shelf: Shelf) -> None:
    administration = Administration(shelf.database, shelf.workspace_id)
    await administration.carry_out(RelabelDocuments((shelf.ids[0],), parse_policy("nobody")), COMMAND_LINE)
    assert await shelf.run() == [0, 1]
    await administration.carry_out(RelabelDocuments((shelf.ids[0],), parse_policy("hr")), COMMAND_LINE)
    assert await shelf.run() == [1]


async def test_a_version_that_came_meanwhile_is_left_as_it_is(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = shelf.reindexer._encoding.encode

    async def handed_in_meanwhile(*given: object) -> object:
        label_id = int(str(shelf.made[0][4]))
        newer = Submission("file:///0.md", "0.md", b"# Parking\n\nGuests park on deck four.", label_id)
        assert (await shelf.ingestor.ingest(shelf.workspace_id, newer)).status == "updated"
        newest.extend(shelf.rows())
        return await encode(*given)  # type: ignore[arg-type]

    newest: Rows = []
    monkeypatch.setattr(shelf.reindexer._encoding, "encode", handed_in_meanwhile)
    assert await shelf.reindexer.reindex(shelf.workspace_id, shelf.ids[0]) == 0
    assert shelf.rows() == newest
    assert await shelf.reindexer.outdated(shelf.workspace_id) == shelf.ids[1:]
