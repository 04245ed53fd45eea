"""Files from Slack: the bot's token goes to Slack's own host, along no redirect, and for no file too large."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from bot.slack.app import slack_client
from bot.slack.files import FileUnavailable, _is_slacks, download
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.pieces import Pieces
from bot.slack.threads import ThreadReader

TOKEN = "-".join(["xoxb", "test"])
LIMIT = 1000


class Host:
    """A server on loopback that remembers the tokens it was shown."""

    def __init__(self, file: dict[str, object]) -> None:
        self.file = file
        self.data = b"x"
        self.tokens: list[str] = []

    async def info(self, _: web.Request) -> web.Response:
        if not self.file:
            return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
        return web.json_response({"ok": True, "file": self.file})

    async def content(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        if "to" in request.query:
            raise web.HTTPFound(request.query["to"])
        return web.Response(body=self.data)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Host, str]]:
    host = Host({"name": "plan.md"})
    app = web.Application()
    app.router.add_route("*", "/api/files.info", host.info)
    app.router.add_get("/file", host.content)
    async with TestServer(app) as server:
        yield host, str(server.make_url("/"))


@pytest.fixture
async def slack() -> AsyncIterator[tuple[Host, str]]:
    async with serving() as both:
        yield both


async def fetched(url: str) -> tuple[str, bytes]:
    return await download(slack_client(TOKEN, f"{url}api/"), "F1", LIMIT)


async def test_a_file_is_fetched_with_the_token(slack: tuple[Host, str]) -> None:
    host, url = slack
    host.file |= {"url_private_download": f"{url}file", "size": 1}
    assert await fetched(url) == ("plan.md", b"x")
    assert host.tokens == [f"Bearer {TOKEN}"]


async def test_the_token_goes_to_no_other_host(slack: tuple[Host, str]) -> None:
    host, url = slack
    async with serving() as (elsewhere, other_url):
        host.file |= {"url_private_download": f"{other_url}file", "size": 1}
        with pytest.raises(FileUnavailable, match="does not lie at Slack"):
            await fetched(url)
        assert elsewhere.tokens == []


async def test_a_redirect_is_not_followed(slack: tuple[Host, str]) -> None:
    host, url = slack
    async with serving() as (elsewhere, other_url):
        host.file |= {"url_private_download": f"{url}file?to={other_url}file", "size": 1}
        with pytest.raises(FileUnavailable, match="status 302"):
            await fetched(url)
        assert elsewhere.tokens == []


async def test_a_file_that_says_it_is_too_large_is_not_fetched(slack: tuple[Host, str]) -> None:
    host, url = slack
    host.file |= {"url_private_download": f"{url}file", "size": LIMIT + 1}
    with pytest.raises(FileUnavailable, match="the limit is"):
        await fetched(url)
    assert host.tokens == []


async def test_a_file_that_lies_about_its_size_is_refused(slack: tuple[Host, str]) -> None:
    host, url = slack
    host.file |= {"url_private_download": f"{url}file", "size": 1}
    host.data = b"x" * (LIMIT + 1)
    with pytest.raises(FileUnavailable, match="the limit is"):
        await fetched(url)
    host.data = b"x" * LIMIT
    assert (await fetched(url))[1] == host.data


@pytest.mark.parametrize(
    ("url", "slacks"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.md", True),
        ("https://files.slack.com.evil.example/a.md", False),
        ("https://evil.example/files.slack.com/a.md", False),
        ("https://files.slack.com@evil.example/a.md", False),
        ("https://evil.example#files.slack.com", False),
        ("", False),
    ],
)
def test_slacks_own_host_is_told_from_what_looks_like_it(url: str, slacks: bool) -> None:
    assert _is_slacks(url, "https://slack.com/api/") is slacks


async def test_an_answer_that_is_no_json_is_told_in_a_sentence(slack: tuple[Host, str]) -> None:
    host, url = slack
    host.file = {}
    with pytest.raises(FileUnavailable, match="Slack does not give me that file"):
        await download(AsyncWebClient(token=TOKEN, base_url=f"{url}api/"), "F1", LIMIT)


async def test_of_several_files_each_is_fetched_when_its_turn_comes(
    slack: tuple[Host, str], database: Database, workspace_id: int
) -> None:
    host, url = slack
    host.file |= {"url_private_download": f"{url}file", "size": 1, "user": "UADA"}
    client = slack_client(TOKEN, f"{url}api/")
    pieces = Pieces(client, ThreadReader(client, database, workspace_id, "UBOT"), LIMIT)
    request = IngestionRequest(
        1, "text", "", "", None, "everyone", "UADA", "D1", "accepted", file_ids=("F1", "F2")
    )
    first, second = pieces.things_of(request)
    assert host.tokens == []
    (piece,) = await first()
    assert await piece.load() == ("plan.md", b"x")
    assert len(host.tokens) == 1
    await second()
    assert len(host.tokens) == 2
