"""Words of any language, and codes and names as they are written, find the passages that have them."""

from collections.abc import Awaitable, Callable

import psycopg
import pytest
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.labelling import intern_label
from auth.labels import FOR_EVERYONE
from migrations.upgrade import downgrade, upgrade
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.search import SearchSettings, search

DOCUMENTS = {
    "errors-4013.md": "# Errors\n\nERR_4013 means that the licence has ended. Renew it before you call anybody.",
    "errors-4012.md": "# Errors\n\nERR_4012 means that the disk is full. Remove what you can before you call anybody.",
    "errors-401.md": "# Errors\n\nERR_401 is about passwords, and ERR_40 12 is a typing error that people make often.",
    "audit.md": "# Audit\n\nThe certificate after ISO-27001 is renewed in spring by the auditors.",
    "quality.md": "# Quality\n\nThe certificate after ISO-9001 is renewed in spring by the auditors.",
    "releases.md": "# Releases\n\nSince v2.3.1 the export writes report_final.pdf; write to Ops.Team@acme.com about it.",
    "older.md": "# Releases\n\nSince v2.13.0 the export writes report_draft.pdf; write to sales@acme.com about it.",
    "contract.md": "# Contracts\n\nACME/2024-17 is the frame of all orders; it ends when either side says so.",
    "urlaub.md": (
        "# Urlaub\n\nAlle Beschäftigten haben Anspruch auf dreißig Urlaubstage im Jahr. Frau Müller genehmigt die"
        " Anträge, die rechtzeitig über das Portal gestellt werden, und sie werden nicht ausgezahlt."
    ),
    "reisen.md": (
        "# Reisen\n\nWer für die Firma reist, bucht über das Portal und reicht die Belege innerhalb eines Monats ein."
        " Die Kosten für das Essen werden nach den Sätzen des Landes bezahlt, in dem man sich aufhält."
    ),
    "policies.md": "# Policies\n\nManagers are running the reviews of all policies, and they file their résumés.",
}
Find = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
async def find(database: Database, embeddings: LocalEmbeddings, workspace_id: int) -> Find:
    """Names of the documents that full-text search finds, best first."""
    async with database.writing_in(workspace_id) as connection:
        label_id = await intern_label(connection, FOR_EVERYONE)
    async with ParserProcess() as parser:
        ingestor = Ingestor(database, embeddings, parser)
        for name, said in DOCUMENTS.items():
            await ingestor.ingest(workspace_id, Submission(name, name, said.encode(), label_id))
    clearance = Clearance(workspace_id, frozenset({label_id}), 1)

    async def found(question: str) -> list[str]:
        settings = SearchSettings(dense_weight=0)
        vector = embeddings.encode([question])[0]
        candidates = await search(database, clearance, question, vector, settings)
        return [candidate.passage.url for candidate in candidates]

    return found


async def test_a_code_is_found_where_it_stands_ahead_of_its_neighbours(find: Find) -> None:
    for question in ("What does ERR_4012 mean?", "err_4012", "ERR-4012 errors before the call"):
        assert (await find(question))[0] == "errors-4012.md", question
    assert (await find("What does ERR_4013 mean?"))[0] == "errors-4013.md"


async def test_a_code_is_found_however_its_parts_are_joined(find: Find) -> None:
    for question in (
        "ISO-27001",
        "ISO 27001",
        "ISO27001",
        "iso_27001",
        "Who renews the iso 27001 certificate?",
    ):
        assert (await find(question))[0] == "audit.md", question
    assert (await find("ISO27001")) == ["audit.md"], "no other word of the document helped"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("v2.3.1", "releases.md"),
        ("report_final.pdf", "releases.md"),
        ("ops.team@acme.com", "releases.md"),
        ("ACME/2024-17", "contract.md"),
    ],
)
async def test_versions_files_addresses_and_numbers_are_found_literally(
    find: Find, question: str, name: str
) -> None:
    assert (await find(question))[0] == name


async def test_a_document_of_another_language_is_found_by_its_words_as_they_stand(find: Find) -> None:
    assert (await find("Wer genehmigt die Urlaubstage?"))[0] == "urlaub.md"
    assert await find("Belege") == ["reisen.md"]
    assert await find("Beleg") == [], "what is not English is not stemmed"


async def test_an_english_document_is_found_by_the_stems_of_its_words(find: Find) -> None:
    assert await find("policy") == ["policies.md"]
    assert await find("Who runs this?") == ["policies.md"]


async def test_letters_are_found_with_and_without_their_accents(find: Find) -> None:
    assert await find("Muller") == await find("Müller") == ["urlaub.md"]
    assert await find("resume") == await find("résumé") == ["policies.md"]
    assert await find("dreissig") == ["urlaub.md"]


async def test_the_stop_words_of_english_find_nothing_in_other_languages(find: Find) -> None:
    assert await find("in was the an") == []


async def test_a_version_remembers_its_language(database: Database, workspace_id: int, find: Find) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({1}), 1)) as connection:
        statement = "SELECT d.uri, n.language FROM retrieval.version n JOIN retrieval.document d ON d.id = n.document_id"
        languages = {row.uri: row.language for row in await connection.execute(text(statement))}
    assert {name for name, language in languages.items() if language == "de"} == {"urlaub.md", "reisen.md"}
    assert set(languages.values()) == {"de", "en"}


def test_passages_that_were_there_before_are_found_by_their_codes_too(urls: DatabaseUrls) -> None:
    downgrade(urls.admin, "0015")
    with psycopg.connect(urls.admin) as connection:
        connection.execute(
            "SELECT set_config('ostiary.workspace_id', '1', true), set_config('ostiary.actor', 'test', true);"
            " INSERT INTO auth.workspace (id, team_id, name) VALUES (1, 'T0', 'Old');"
            " INSERT INTO auth.access_label (workspace_id, id, policy) VALUES (1, 1, 'everyone');"
            " INSERT INTO retrieval.document (workspace_id, id, label_id, uri, title) VALUES (1, 1, 1, 'a', 'A');"
            " INSERT INTO retrieval.version"
            "  (workspace_id, id, document_id, label_id, is_current, content_hash, title, media_type)"
            "  VALUES (1, 1, 1, 1, true, '', 'A', 'text/plain');"
            " INSERT INTO retrieval.chunk (workspace_id, id, document_id, version_id, label_id, is_current, ordinal,"
            "  text, heading_path, tokens, words)"
            "  VALUES (1, 1, 1, 1, 1, true, 0, 'It says ERR_4012.', '{Café}', 4, to_tsvector('english', 'It says'))"
        )
    upgrade(urls.admin)
    with psycopg.connect(urls.admin) as connection:
        words = connection.execute("SELECT tsvector_to_array(words) FROM retrieval.chunk").fetchone()
        walled = connection.execute(
            "SELECT bool_and(relforcerowsecurity) FROM pg_class"
            " WHERE oid = ANY('{retrieval.chunk,retrieval.version}'::regclass[])"
        ).fetchone()
    assert words == (["4012", "cafe", "err", "err4012", "say"],)
    assert walled == (True,)
