"""Documents taken in again while somebody changes, removes or withdraws them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from auth.labelling import intern_label
from auth.labels import NOBODY, parse_policy
from bot.administering.administration import COMMAND_LINE
from bot.administering.changes import ExpireDocuments, RelabelDocuments, RemoveDocuments
from bot.administering.making import CannotChange
from bot.refreshing import NotRefreshed, StillThere, submission_again
from retrieval.cataloguing import UnknownDocument
from retrieval.ingestion import ClosedToAll, Submission
from retrieval.relabelling import relabel_documents
from retrieval.sources.kept import Kind
from retrieval.withdrawing import withdraw_documents
from tests.integration.sources.conftest import Keeping

URI = "https://example.com/parking"
_SOMEBODY_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
NEWER = b"# Parking\n\nVisitors leave their cars behind the bakery."


async def handed_in(keeping: Keeping, readers: str = "everyone", data: bytes = NEWER) -> int:
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        label_id = await intern_label(connection, parse_policy(readers))
    submission = Submission(uri=URI, name="parking.md", data=data, label_id=label_id)
    return (await keeping.ingestor.ingest(keeping.workspace_id, submission)).document_id


async def again(keeping: Keeping, document_id: int, data: bytes = NEWER) -> Submission:
    async def load(_uri: str) -> tuple[str, bytes]:
        return "parking.md", data

    return await submission_again(keeping.database, keeping.workspace_id, document_id, load, COMMAND_LINE)


async def test_readers_given_while_a_document_is_taken_in_again_stay(keeping: Keeping) -> None:
    document_id = await handed_in(keeping, data=b"Guests park on deck three of the garage.")
    for data in (NEWER, NEWER + b" Or at the station."):
        submission = await again(keeping, document_id, data)
        readers = parse_policy("hr" if data == NEWER else "finance")
        await keeping.carry_out(RelabelDocuments((document_id,), readers))
        await keeping.ingestor.ingest(keeping.workspace_id, submission, entry=StillThere(document_id))
        assert (await keeping.documents())["parking"].readers == str(readers)
        assert not await keeping.found("Where do visitors park?")


async def test_a_document_that_is_removed_while_it_is_taken_in_again_stays_away(keeping: Keeping) -> None:
    document_id = await handed_in(keeping)
    submission = await again(keeping, document_id, NEWER + b" Or at the station.")
    await keeping.carry_out(RemoveDocuments((document_id,)))
    with pytest.raises(UnknownDocument):
        await keeping.ingestor.ingest(keeping.workspace_id, submission, entry=StillThere(document_id))
    assert await keeping.documents() == {}


async def test_what_is_closed_to_everybody_is_not_taken_in_again(keeping: Keeping) -> None:
    document_id = await handed_in(keeping)
    await keeping.carry_out(RelabelDocuments((document_id,), parse_policy("nobody")))
    with pytest.raises(NotRefreshed, match="closed to everybody"):
        await again(keeping, document_id)


async def test_what_its_source_has_again_after_its_end_answers_when_the_end_is_taken_away(
    keeping: Keeping,
) -> None:
    document_id = await handed_in(keeping)
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        await withdraw_documents(connection, [document_id], "vanished")
    await keeping.carry_out(ExpireDocuments((document_id,), datetime.now(UTC) - timedelta(days=1)))
    await handed_in(keeping)
    assert not await keeping.found("Where do visitors park?")
    await keeping.carry_out(ExpireDocuments((document_id,), None))
    assert await keeping.found("Where do visitors park?")


async def test_a_channel_is_not_kept_for_readers_that_somebody_names(keeping: Keeping) -> None:
    with pytest.raises(CannotChange, match="for those who are in it"):
        await keeping.add(Kind.SLACK_CHANNEL, "C0PEOPLE", "everyone")


async def test_an_address_with_a_password_in_it_is_not_stored(keeping: Keeping) -> None:
    with pytest.raises(CannotChange, match="password"):
        await keeping.add(Kind.URL, "https://ada:hunter2@example.com/handbook")


async def test_a_document_that_is_closed_while_it_is_handed_in_anew_stays_closed(keeping: Keeping) -> None:
    document_id = await handed_in(keeping)
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        nobody = await intern_label(connection, NOBODY)
        await relabel_documents(connection, [document_id], nobody)
        handing_in = asyncio.create_task(handed_in(keeping, data=NEWER + b" Or at the station."))
        async with asyncio.timeout(60):
            while not (await connection.execute(_SOMEBODY_WAITS)).scalar():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    with pytest.raises(ClosedToAll):
        await handing_in
    assert (await keeping.documents())["parking"].readers == str(NOBODY)
