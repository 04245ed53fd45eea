"""What breaks or changes while an answer is in the making: nothing leaks, nobody is left in silence."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from auth.database import APP, READER, Database, DatabaseUrls
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.server import RunningServer, ensure_running
from auth.server.client import wait_until_stopped
from auth.server.throwaway import throwaway_folder
from bot.assistant import NOTHING_FOUND
from bot.directory_file import load_directory
from bot.queue import JobQueue, QueueSettings
from bot.slack.asking import NOT_NOW
from bot.slack.handing_in import AWAY
from migrations.upgrade import upgrade
from retrieval.embedding import LocalEmbeddings
from retrieval.relabelling import relabel_documents
from tests.scenarios.bot_process import Workplace, open_workplace, until
from tests.scenarios.conftest import OFFICE, without_roles

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAND = "What does a senior engineer earn?"
LEAVE = "How many days of paid leave do employees receive a year?"
SECRET = "78,000"
PATIENCE_S = 45


class StoppableServer:
    """A PostgreSQL that can go away and come back with what it held."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lease = self._start()

    def _start(self) -> RunningServer:
        return ensure_running(self._home, linger_s=0.0, fast_but_unsafe=True)

    @property
    def urls(self) -> DatabaseUrls:
        return DatabaseUrls(self._lease.url(), self._lease.url(APP), self._lease.url(READER))

    def stop(self) -> None:
        self._lease.release()
        assert wait_until_stopped(self._home)

    def start(self) -> None:
        self._lease = self._start()


@pytest.fixture(scope="module")
def postgres() -> Iterator[StoppableServer]:
    home = throwaway_folder()
    server = StoppableServer(home)
    upgrade(server.urls.admin)
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_workplace(
    postgres: StoppableServer, embeddings: LocalEmbeddings
) -> AsyncIterator[Workplace]:
    async with open_workplace(postgres.urls, embeddings) as opened:
        await opened.staff(1)
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def workplace(shared_workplace: Workplace) -> AsyncIterator[Workplace]:
    """A bot at the desk of an office where everybody holds the roles and sits in the channels of its file."""
    yield shared_workplace
    await _changed(shared_workplace, revoked=None)
    visitor = shared_workplace.visitor
    if "U0ENZO" in visitor.where("pia", "#people").members:
        await visitor.leave("enzo", "#people")


async def test_a_role_taken_away_during_generation_hides_the_answer(workplace: Workplace) -> None:
    async with workplace.frozen_while_generating() as frozen:
        asked = await workplace.visitor.dm("pia", BAND)
    await _changed(workplace, revoked="pia")
    frozen[0].thaw()
    await workplace.everything_is_done()
    assert [message.plain for message in workplace.said_to("pia", asked)] == [NOTHING_FOUND]


async def _who_is_there_is_known(workplace: Workplace) -> None:
    """Have something answered in #people: the bot asks Slack who is there only before it sends the next answer."""
    asked = await workplace.visitor.post("pia", "#people", f"@ostiary {LEAVE}")
    await workplace.is_stored(asked)
    await workplace.everything_is_done()


async def test_a_role_taken_away_between_generation_and_sending_hides_the_answer(
    workplace: Workplace,
) -> None:
    await _who_is_there_is_known(workplace)
    with workplace.slack.gate("conversations.info", "C0PEOPLE") as before_sending:
        asked = await workplace.visitor.post("pia", "#people", f"@ostiary {BAND}")
        await before_sending.is_reached()
        await _changed(workplace, revoked="pia")
    await workplace.everything_is_done()
    said = workplace.said_to("pia", asked)
    assert [(message.plain, message.ephemeral) for message in said] == [(NOTHING_FOUND, True)]


async def test_somebody_who_joins_between_generation_and_sending_does_not_see_the_answer(
    workplace: Workplace,
) -> None:
    await _who_is_there_is_known(workplace)
    with workplace.slack.gate("conversations.info", "C0PEOPLE") as before_sending:
        asked = await workplace.visitor.post("pia", "#people", f"@ostiary {BAND}")
        await before_sending.is_reached()
        await workplace.visitor.invite("#people", "enzo")
    await workplace.everything_is_done()
    assert not [message for message in workplace.said_to("enzo", asked) if SECRET in message.plain]
    (told,) = workplace.said_to("pia", asked)
    assert SECRET in told.plain
    assert told.ephemeral


async def test_a_document_that_gets_other_readers_between_generation_and_sending_is_not_quoted(
    workplace: Workplace,
) -> None:
    await _who_is_there_is_known(workplace)
    with workplace.slack.gate("conversations.info", "C0PEOPLE") as before_sending:
        asked = await workplace.visitor.post("pia", "#people", f"@ostiary {BAND}")
        await before_sending.is_reached()
        await _give_readers(workplace, "Salary bands", "engineering")
    await workplace.everything_is_done()
    said = [message.plain for message in workplace.said_to("pia", asked)]
    await _give_readers(workplace, "Salary bands", "people")
    assert said == [NOTHING_FOUND]


async def test_an_answer_whose_arrival_slack_could_not_confirm_is_not_sent_again(
    workplace: Workplace,
) -> None:
    """The line breaks after Slack has taken the message and before it says so."""
    with workplace.slack.gate("chat.startStream", "C0GENERAL", after=True, cuts=True) as broken_line:
        asked = await workplace.visitor.post("enzo", "#general", f"@ostiary {LEAVE}")
        await broken_line.is_reached()
    await workplace.everything_is_done()
    assert [message.plain.count("27 days") for message in workplace.said_below(asked)] == [1]


async def test_an_outage_of_the_database_is_told_in_private_and_survived(
    workplace: Workplace, postgres: StoppableServer
) -> None:
    visitor = workplace.visitor
    with workplace.slack.gate("assistant.threads.setStatus") as at_work:
        begun = await visitor.dm("enzo", LEAVE)
        await at_work.is_reached()
        postgres.stop()
    mentioned = await visitor.post("enzo", "#general", f"@ostiary {LEAVE}")
    written = await visitor.dm("pia", LEAVE)
    command = await visitor.command("pia", "#general", "/ingest", "The canteen opens at noon.")
    await visitor.wait_for(lambda: workplace.said_to("enzo", mentioned), PATIENCE_S)
    await visitor.wait_for(lambda: workplace.said_to("pia", written), PATIENCE_S)
    assert command.payload.get("text") == AWAY
    assert not [m for m in visitor.visible_to("pia", "#general", mentioned.ts) if m.by_bot]

    postgres.start()
    for asked in (mentioned, written):
        await workplace.is_stored(asked)
    await workplace.everything_is_done()
    apology, answer = workplace.said_to("enzo", mentioned)
    assert (apology.plain, apology.ephemeral) == (NOT_NOW, True)
    assert "27 days" in answer.plain
    said = [message.plain for message in workplace.said_to("pia", written)]
    assert said[0] == NOT_NOW
    assert [plain.count("27 days") for plain in said[1:]] == [1]
    assert [m.plain.count("27 days") for m in workplace.said_to("enzo", begun)] == [1]


async def test_work_that_nobody_could_be_told_of_is_tried_again(urls: DatabaseUrls) -> None:
    """As when Slack is away for longer than the usual tries take."""
    worked: list[int] = []
    told: list[int] = []
    outage = iter((True, True, False))

    async def work(number: int) -> None:
        worked.append(number)
        raise ConnectionError("Slack is away.")

    async def give_up(number: int) -> None:
        if next(outage):
            raise ConnectionError("Slack is still away.")
        told.append(number)

    queue = JobQueue(urls, 1, QueueSettings(tries=2, retry_wait_s=0, polling_s=0.1))
    queue.on("unlucky", work, given_up=give_up)
    database = Database(urls)
    async with database.registering() as connection:
        await queue.defer(connection, "unlucky", number=7)
    async with queue.working():
        await until(lambda: bool(told), "somebody is told")
    await database.close()
    assert (worked, told) == ([7] * 4, [7])


async def _changed(workplace: Workplace, revoked: str | None) -> None:
    """Take every role from one person, or give back what the directory file grants."""
    database = Database(workplace.urls)
    try:
        await load_directory(database, without_roles(revoked) if revoked else OFFICE)
    finally:
        await database.close()


async def _give_readers(workplace: Workplace, uri: str, readers: str) -> None:
    """Change who may read a document, and nothing else of it."""
    ((workspace_id, document_id),) = workplace.rows(
        "SELECT workspace_id, id FROM retrieval.document WHERE uri = %s", uri
    )
    database = Database(workplace.urls)
    try:
        async with database.writing_in(workspace_id) as connection:
            label_id = await intern_label(connection, parse_policy(readers))
            await relabel_documents(connection, [document_id], label_id)
    finally:
        await database.close()
