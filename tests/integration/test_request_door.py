"""The address where Slack's requests come in: whom it believes, what it hears once, and when it says that it heard."""

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text

from auth.database import Database, DatabaseUrls
from bot.slack.heard_requests import HeardRequests
from bot.slack.requests import MOST_BYTES, PATH, AddressTaken, RequestDoor
from bot.slack.team import Team

SECRET = "a secret that Slack shares with the app"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVENT = {"type": "event_callback", "team_id": "T0TEST", "event_id": "Ev1", "event": {"type": "team_join"}}
COMMAND = {"command": "/ingest", "text": "the payload of a truck", "team_id": "T0TEST", "user_id": "U0PIA"}


def signed(body: bytes, kind: str = JSON, *, secret: str = SECRET, at: object = None) -> dict[str, str]:
    stamp = str(int(time.time()) if at is None else at)
    signature = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp}
    return headers | {"X-Slack-Signature": f"v0={signature}"}


async def pass_on(next_: Callable[[], Awaitable[None]]) -> None:
    await next_()


@dataclass
class Desk:
    """An app behind the door, which may be made to fail or to wait."""

    app: AsyncApp
    heard: list[dict[str, Any]] = field(default_factory=list)
    fails: bool = False
    waits: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, body: dict[str, Any], ack: Any = None) -> None:
        self.began.set()
        if self.waits is not None:
            await self.waits.wait()
        if self.fails:
            raise OSError("nothing can be stored")
        self.heard.append(body)
        if "command" in body:
            await ack("Thank you.")


@pytest.fixture
def desk() -> Desk:
    client = AsyncWebClient(token="xoxb-no-token-at-all")
    app = AsyncApp(client=client, process_before_response=True, request_verification_enabled=False)
    app._async_middleware_list.clear()  # no Slack is asked who the bot is
    app.middleware(pass_on)
    made = Desk(app)
    app.event("team_join")(made.hear)
    app.command("/ingest")(made.hear)
    return made


@pytest.fixture
def team(workspace_id: int) -> Team:
    return Team(workspace_id, "T0TEST", "Test", "U0BOT")


@pytest.fixture
async def address(database: Database, team: Team, desk: Desk) -> AsyncIterator[str]:
    door = RequestDoor(SECRET, HeardRequests(database))
    async with door.open("127.0.0.1", 0) as opened, door.answering(team, desk.app):
        yield opened


async def post(address: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def event(**more: object) -> bytes:
    return json.dumps(EVENT | more).encode()


async def test_a_signed_event_is_heard(address: str, desk: Desk) -> None:
    body = event()
    assert await post(address, body, signed(body)) == (200, "")
    assert [heard["event_id"] for heard in desk.heard] == ["Ev1"]


@pytest.mark.parametrize(
    "change",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=ä"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "yesterday"},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": ""},
    ],
    ids=lambda change: str(change)[:48],
)
async def test_what_is_not_signed_by_slack_is_not_heard(
    address: str, desk: Desk, change: dict[str, str]
) -> None:
    body = event()
    assert (await post(address, body, signed(body) | change))[0] == 401
    without = {name: value for name, value in signed(body).items() if name not in change}
    assert (await post(address, body, without))[0] == 401
    assert desk.heard == []


@pytest.mark.parametrize("at", [-301, 301, "junk", "1e9", "\u0661"])
async def test_a_time_stamp_that_is_stale_or_none_is_not_believed(
    address: str, desk: Desk, at: int | str
) -> None:
    body = event()
    stamp: object = int(time.time()) + at if isinstance(at, int) else at
    assert (await post(address, body, signed(body, at=stamp)))[0] == 401
    assert (await post(address, body, signed(body, secret="another")))[0] == 401
    assert (await post(address, b"\xff\xfe", signed(b"\xff\xfe")))[0] == 401  # no text at all
    assert desk.heard == []


async def test_a_body_that_was_changed_on_its_way_is_not_heard(address: str, desk: Desk) -> None:
    headers = signed(event())
    assert (await post(address, event(event_id="Ev2"), headers))[0] == 401
    assert desk.heard == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{", JSON), (b"[]", JSON), (b"[" * 100_000, JSON), (b"payload=nonsense", FORM), (b"a=&" * 200, FORM)],
    ids=["half", "a list", "deep", "a form", "many fields"],
)
async def test_what_cannot_be_understood_is_refused(address: str, body: bytes, kind: str) -> None:
    assert (await post(address, body, signed(body, kind)))[0] == 400


async def test_more_than_slack_ever_sends_is_not_read(address: str, desk: Desk) -> None:
    body = event(filler="x" * MOST_BYTES)
    assert (await post(address, body, signed(body)))[0] == 413
    assert desk.heard == []


async def test_slack_finds_out_whose_address_it_is_and_whether_it_has_a_certificate(address: str) -> None:
    asked = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    status, answer = await post(address, asked, signed(asked))
    assert (status, json.loads(answer)) == (200, {"challenge": "3eZbrw1a"})
    assert (await post(address, asked, signed(asked, secret="another")))[0] == 401
    check = urlencode({"ssl_check": "1", "token": "x"}).encode()
    assert await post(address, check, {"Content-Type": FORM}) == (200, "")
    assert await post(address, check, signed(check, FORM)) == (200, "")


async def test_a_command_with_the_word_payload_in_it_arrives_whole(address: str, desk: Desk) -> None:
    body = urlencode(COMMAND).encode()
    assert await post(address, body, signed(body, FORM)) == (200, "Thank you.")
    assert [heard["text"] for heard in desk.heard] == ["the payload of a truck"]


async def test_a_request_that_is_sent_again_is_acknowledged_and_not_heard_again(
    address: str, desk: Desk, database: Database, workspace_id: int
) -> None:
    body = urlencode(COMMAND).encode()
    headers = signed(body, FORM)
    assert await post(address, body, headers) == (200, "Thank you.")
    assert await post(address, body, headers) == (200, "")
    async with database.writing_in(workspace_id) as connection:
        await connection.execute(text("UPDATE bot.heard_request SET heard_at = now() - interval '4 minutes'"))
    assert await post(address, body, headers) == (200, "")
    assert len(desk.heard) == 1


async def test_another_process_does_not_hear_it_again_either(
    address: str, desk: Desk, urls: DatabaseUrls, team: Team
) -> None:
    body = event()
    headers = signed(body)
    desk.waits = asyncio.Event()
    first = asyncio.create_task(post(address, body, headers))
    await desk.began.wait()
    elsewhere = Database(urls)
    door = RequestDoor(SECRET, HeardRequests(elsewhere))
    async with door.open("127.0.0.1", 0) as beside, door.answering(team, desk.app):
        assert (await post(beside, body, headers))[
            0
        ] == 503  # the first may fail yet: nobody says that it is stored
        desk.waits.set()
        assert (await first)[0] == 200
        assert (await post(beside, body, headers))[0] == 200
    await elsewhere.close()
    assert len(desk.heard) == 1


async def test_what_could_not_be_stored_is_not_acknowledged_and_heard_when_it_comes_again(
    address: str, desk: Desk
) -> None:
    body = event()
    headers = signed(body)
    desk.fails = True
    assert (await post(address, body, headers))[0] == 500
    desk.fails = False
    assert (await post(address, body, headers))[0] == 200
    assert len(desk.heard) == 1


async def test_what_was_lost_with_its_process_is_heard_when_it_comes_again(
    address: str, desk: Desk, database: Database, workspace_id: int
) -> None:
    body = event()
    headers = signed(body)
    async with database.writing_in(workspace_id) as connection:
        await connection.execute(
            text(
                "INSERT INTO bot.heard_request (workspace_id, signature, heard_at) VALUES (:w, :s, now() - CAST(:i AS interval))"
            ),
            {"w": workspace_id, "s": headers["X-Slack-Signature"], "i": "0:01:30"},
        )
    assert (await post(address, body, headers))[0] == 200
    assert len(desk.heard) == 1


async def test_signatures_are_forgotten_once_they_are_good_for_nothing(
    database: Database, workspace_id: int
) -> None:
    heard = HeardRequests(database)
    async with heard.hearing(workspace_id, "v0=new") as hearing:
        hearing.was_heard = True
    async with database.writing_in(workspace_id) as connection:
        await connection.execute(
            text(
                "INSERT INTO bot.heard_request (workspace_id, signature, heard_at) VALUES (:w, 'v0=old', now() - CAST(:i AS interval))"
            ),
            {"w": workspace_id, "i": "0:20:00"},
        )
    await heard.forget_old(workspace_id)
    async with database.writing_in(workspace_id) as connection:
        kept = await connection.execute(text("SELECT signature FROM bot.heard_request"))
    assert list(kept.scalars()) == ["v0=new"]


async def test_what_nothing_listens_to_is_acknowledged_and_what_is_anothers_changes_nothing(
    address: str, desk: Desk
) -> None:
    for body in (event(event={"type": "emoji_changed"}), event(team_id="T0OTHER")):
        assert (await post(address, body, signed(body)))[0] == 200
    assert desk.heard == []


async def test_a_balancer_is_told_whether_anybody_is_at_the_desk(
    database: Database, team: Team, desk: Desk
) -> None:
    body = event()
    door = RequestDoor(SECRET, HeardRequests(database))
    async with door.open("127.0.0.1", 0) as address, aiohttp.ClientSession() as session:
        health = address.replace(PATH, "/health")
        async with session.get(health) as answer:
            assert answer.status == 503
        assert (await post(address, body, signed(body)))[0] == 503
        async with door.answering(team, desk.app), session.get(health) as answer:
            assert answer.status == 200
        assert desk.heard == []


async def test_what_is_under_way_when_the_bot_leaves_is_finished(
    database: Database, team: Team, desk: Desk
) -> None:
    body = event()
    door = RequestDoor(SECRET, HeardRequests(database))
    desk.waits = asyncio.Event()
    async with door.open("127.0.0.1", 0) as address:
        async with door.answering(team, desk.app):
            asked = asyncio.create_task(post(address, body, signed(body)))
            await desk.began.wait()
            asyncio.get_running_loop().call_later(0.2, desk.waits.set)
        assert len(desk.heard) == 1
        assert (await asked)[0] == 200


async def test_an_address_that_is_taken_is_named(address: str, database: Database) -> None:
    port = int(address.split(":")[2].split("/")[0])
    with pytest.raises(AddressTaken, match=f"port {port}.*OSTIARY_HTTP_PORT"):
        async with RequestDoor(SECRET, HeardRequests(database)).open("127.0.0.1", port):
            pass
