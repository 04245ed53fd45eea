"""Several sockets for one bot: what one loses, another carries."""

from auth.database import DatabaseUrls
from bot.sandbox.server import SandboxServer
from retrieval.embedding import LocalEmbeddings
from tests.parrot import Parrot
from tests.scenarios.bot_process import until
from tests.scenarios.conftest import open_office

LEAVE = "How many days of paid leave do employees receive a year?"
PATIENCE_S = 60


async def test_a_command_works_while_one_of_two_sockets_is_being_renewed_and_each_question_is_answered_once(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings
) -> None:
    async with open_office(sandbox, urls, embeddings, Parrot(), sockets=2) as office:
        await until(lambda: sandbox.connections == 2, "both sockets are open")
        asked = [await office.visitor.post("enzo", "#general", f"@ostiary {LEAVE}") for _ in range(4)]
        await sandbox.drop_sockets(1)
        outcome = await office.visitor.command("pia", "#general", "/ingest", "")
        assert outcome.acknowledged
        for question in asked:
            await office.visitor.wait_for_reply("enzo", "#general", question.ts, timeout=PATIENCE_S)
        await until(lambda: sandbox.connections == 2, "the lost socket is opened anew")
        for question in asked:
            thread = office.visitor.visible_to("enzo", "#general", question.ts)
            assert len([message for message in thread if message.by_bot]) == 1
    assert sandbox.connections == 0
