"""Documents taken in by processes of their own: killed, without their model, called off. Whoever asked is told once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import LiteralString

import psycopg
import pytest
import pytest_asyncio

from auth.database import DatabaseUrls
from auth.server import RunningServer
from bot.jobs import cancel_job, list_jobs, retry_job
from retrieval.embedding import LocalEmbeddings
from tests.conftest import fresh_database
from tests.scenarios.bot_process import START_S, BotProcess, Workplace, open_workplace, until
from tests.scenarios.conftest import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANTEEN = "The canteen opens at 11:45 and closes at 14:00."
_WHOLE = (
    "SELECT d.title, (SELECT count(*) FROM retrieval.version v WHERE v.document_id = d.id),"
    " (SELECT count(*) FROM retrieval.chunk c WHERE c.document_id = d.id),"
    " (SELECT count(*) FROM retrieval.chunk_vec e WHERE e.document_id = d.id)"
    " FROM retrieval.document d WHERE starts_with(d.uri, 'slack-text:') ORDER BY d.id"
)


@pytest.fixture(scope="module")
def kept_urls(server: RunningServer) -> Iterator[DatabaseUrls]:
    with fresh_database(server, __name__) as urls:
        yield urls


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workplace(kept_urls: DatabaseUrls, embeddings: LocalEmbeddings) -> AsyncIterator[Workplace]:
    """A bot that leaves documents to others."""
    async with open_workplace(kept_urls, embeddings) as opened:
        opened.serves_by = ("serve", "--no-worker")
        await opened.staff(1)
        yield opened


async def hand_in(workplace: Workplace, title: str) -> None:
    await workplace.visitor.command("pia", "#general", "/ingest", CANTEEN)
    view = workplace.visitor.views_open_for("pia")[-1]
    await workplace.visitor.submit_view(
        "pia", view.id, {"title": title, "readers": ["everyone"], "rule": "any"}
    )
    await until(
        lambda: bool(workplace.rows("SELECT 1 FROM procrastinate.procrastinate_jobs")), "it is queued"
    )


def told(workplace: Workplace, title: str) -> list[str]:
    """What pia was told about a document."""
    return [
        m.plain for m in workplace.visitor.visible_to("pia", "@ostiary") if m.plain.startswith(f"{title} was")
    ]


async def is_at_work(worker: BotProcess) -> None:
    await until(lambda: "At work on documents" in worker.said, "the worker is at work", START_S)


async def waits_for_a_table(workplace: Workplace, worker: BotProcess) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    await until(lambda: bool(workplace.rows(waiting, worker.name)), "the worker has begun")


async def test_a_worker_without_its_model_says_so_and_loses_nothing(workplace: Workplace) -> None:
    await hand_in(workplace, "Canteen")
    worker = workplace.hire(OSTIARY_EMBEDDING_MODEL=str(workplace.home / "vanished"))
    await until(lambda: not worker.is_running, "it gave up", START_S)
    assert "vanished" in worker.said
    assert "Traceback" not in worker.said
    assert told(workplace, "Canteen") == []
    assert workplace.rows("SELECT status::text FROM procrastinate.procrastinate_jobs") == [("todo",)]


async def test_a_worker_that_is_killed_while_it_stores_leaves_its_work_to_the_next(
    workplace: Workplace,
) -> None:
    with psycopg.connect(workplace.urls.admin) as connection:
        connection.execute("LOCK TABLE retrieval.chunk_vec IN EXCLUSIVE MODE")
        worker = workplace.hire()
        await waits_for_a_table(workplace, worker)
        worker.kill()
        connection.rollback()
    assert workplace.rows(_WHOLE) == []
    workplace.take_for_dead()
    await is_at_work(workplace.hire())
    await workplace.everything_is_done()
    assert told(workplace, "Canteen") == ["Canteen was added for everyone: 1 passage can be found now."]
    assert workplace.rows(_WHOLE) == [("Canteen", 1, 1, 1)]


async def test_a_worker_takes_in_what_is_handed_in_while_it_is_there(workplace: Workplace) -> None:
    await hand_in(workplace, "Second")
    await workplace.everything_is_done()
    assert len(told(workplace, "Second")) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_what_is_called_off_while_it_is_read_is_told_and_not_stored(parrot_office: Office) -> None:
    office = parrot_office
    with psycopg.connect(office.database.urls.admin) as connection:
        await lock(connection, "LOCK TABLE retrieval.version IN ACCESS EXCLUSIVE MODE")
        job_id = await begun(office)
        async with office.database.writing_in(office.workspace_id) as app:
            await cancel_job(app, job_id)
        await office.visitor.wait_for_reply("pia", "@ostiary", containing="Cancelled", timeout=60)
        connection.rollback()
    assert stored(office) == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_what_failed_for_a_fault_of_ours_is_kept_and_tried_again(
    parrot_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = parrot_office
    with psycopg.connect(office.database.urls.admin, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON retrieval.version FROM ostiary_app")
        await begun(office)
        await office.visitor.wait_for_reply("pia", "@ostiary", containing="something went wrong", timeout=60)
        async with office.database.writing_in(office.workspace_id) as app:
            while not (failed := await list_jobs(app, ["failed"])):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            assert (failed[0].what, failed[0].attempts) == ("Canteen", 3)
            connection.execute("GRANT INSERT ON retrieval.version TO ostiary_app")
            await retry_job(app, failed[0].id)
    await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=60)
    assert stored(office) == 1


async def lock(connection: psycopg.Connection, statement: LiteralString) -> None:
    """In a thread: whoever holds the table now works in this one."""
    await asyncio.to_thread(connection.execute, statement)


async def begun(office: Office) -> int:
    """Hand something in; the number of the job that takes it in."""
    await office.visitor.command("pia", "#general", "/ingest", CANTEEN)
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view(
        "pia", view.id, {"title": "Canteen", "readers": ["everyone"], "rule": "any"}
    )
    async with asyncio.timeout(30):
        while True:
            async with office.database.writing_in(office.workspace_id) as connection:
                running = await list_jobs(connection, ["running", "failed"])
            if running:
                return running[0].id
            await asyncio.sleep(0.05)


def stored(office: Office) -> int:
    with psycopg.connect(office.database.urls.admin) as connection:
        found = connection.execute(
            "SELECT count(*) FROM retrieval.document WHERE starts_with(uri, 'slack-text:')"
        ).fetchone()
    assert found is not None
    return int(found[0])
