"""Slack's requests come in by HTTP: the same bot, asked and ordered about, and killed before it has stored what it heard."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import psycopg
import pytest
from pydantic import SecretStr

from auth.database import Database, DatabaseUrls
from bot.cli.doctor import check_slack
from bot.sandbox.server import SandboxServer
from bot.settings import Settings
from bot.slack.heard_requests import HeardRequests
from bot.slack.requests import RequestDoor
from retrieval.embedding import LocalEmbeddings
from tests.parrot import Parrot
from tests.scenarios.bot_process import START_S, BotProcess, Workplace, open_workplace, until
from tests.scenarios.conftest import Office, open_office

LEAVE = "How many days of paid leave do employees receive a year?"
PATIENCE_S = 60


@asynccontextmanager
async def at_the_desk(
    slack: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings, port: int
) -> AsyncIterator[Office]:
    """A bot that repeats what it reads, and hears of Slack by HTTP."""
    database = Database(urls)
    door = RequestDoor(slack.app.signing_secret, HeardRequests(database))
    async with door.open("127.0.0.1", port) as address:
        await slack.use_http(address)
        async with open_office(slack, urls, embeddings, Parrot(), door=door) as opened:
            yield opened
    await database.close()


@pytest.fixture
async def http_office(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings
) -> AsyncIterator[Office]:
    async with at_the_desk(sandbox, urls, embeddings, 0) as opened:
        yield opened


async def test_questions_commands_and_forms_come_by_http_as_by_socket(http_office: Office) -> None:
    visitor = http_office.visitor
    asked = await visitor.post("enzo", "#general", f"@ostiary {LEAVE}")
    reply = await visitor.wait_for_reply("enzo", "#general", asked.ts, timeout=PATIENCE_S)
    assert "27 days" in reply.plain
    refused = await visitor.command("enzo", "#general", "/ingest", "the payload of a truck is 3 t")
    assert refused.acknowledged
    assert "admin" in visitor.visible_to("enzo", "#general")[-1].plain
    assert (await visitor.command("pia", "#general", "/ingest", "the payload of a truck is 3 t")).acknowledged
    assert await visitor.wait_for(lambda: visitor.views_open_for("pia"))
    assert http_office.sandbox.connections == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def workplace(urls: DatabaseUrls, embeddings: LocalEmbeddings) -> AsyncIterator[Workplace]:
    async with open_workplace(urls, embeddings) as opened:
        yield opened


async def serving(workplace: Workplace, port: int) -> BotProcess:
    """`ostiary serve` in HTTP mode, once it is at its desk."""
    secret = workplace.slack.app.signing_secret
    settings = {"OSTIARY_HTTP_PORT": str(port), "SLACK_SIGNING_SECRET": secret, "OSTIARY_RERANKER": "none"}
    bot = workplace.hire("serve", **settings)
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
        while True:
            assert bot.is_running, bot.said
            try:
                async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                    if answer.status == 200:
                        return bot
            except aiohttp.ClientConnectionError:
                pass  # not listening yet
            await asyncio.sleep(0.1)


async def test_killed_before_it_stored_a_question_it_has_acknowledged_nothing_and_loses_nothing(
    workplace: Workplace, embeddings: LocalEmbeddings
) -> None:
    port, slack = free_port(), workplace.slack
    bot = await serving(workplace, port)
    await slack.use_http(f"http://127.0.0.1:{port}/slack/events")
    with psycopg.connect(workplace.urls.admin) as shut:
        shut.execute("LOCK TABLE bot.question IN ACCESS EXCLUSIVE MODE")
        asked = await workplace.visitor.dm("pia", LEAVE)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
        await until(lambda: bool(workplace.rows(waiting, bot.name)), "the question is about to be stored")
        bot.kill()
        await until(lambda: bool(slack.deliveries), "Slack knows that nobody answers")
        assert not any(delivery.acknowledged for delivery in slack.deliveries)
        shut.rollback()
    assert workplace.state_of(asked) is None
    async with at_the_desk(slack, workplace.urls, embeddings, port):
        await workplace.is_stored(asked)
        await workplace.everything_is_done()
    said = [message.plain for message in workplace.said_to("pia", asked)]
    assert len(said) == 1
    assert "27 days" in said[0]


@pytest.mark.parametrize(
    ("given", "fine", "said"),
    [
        ({"SLACK_SIGNING_SECRET": SecretStr("s")}, True, "127.0.0.1, port 8443"),
        ({}, False, "SLACK_SIGNING_SECRET"),
    ],
)
async def test_the_doctor_says_what_http_mode_wants(
    sandbox: SandboxServer, given: dict[str, SecretStr], fine: bool, said: str
) -> None:
    chosen = {
        "slack_api_url": sandbox.api_url,
        "SLACK_BOT_TOKEN": SecretStr(sandbox.bot_token),
        "http_port": 8443,
    }
    [(found, _, words)] = await check_slack(Settings.model_validate(chosen | given))
    assert (found, said in words) == (fine, True)
